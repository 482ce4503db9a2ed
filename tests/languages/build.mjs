// Makes a component of each program that `cargo xtask languages` names: `node build.mjs PROGRAM.js WIT COMPONENT.wasm`.
import { readFile, writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";

const [program, witPath, to] = process.argv.slice(2);
const { component } = await componentize(await readFile(program, "utf8"), { witPath, worldName: "target" });
await writeFile(to, component);
