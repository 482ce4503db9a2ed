// A target that speaks HTTP by JavaScript's own `fetch`, to the URL that a notification's `extra` names, and knows nothing of `http.send`.
const manifest = {
  name: "Fetch Hook",
  version: "1.0.0",
  summary: "A program for tests, which posts by fetch.",
  address: { title: "Room", example: "#room" },
  secrets: [{ name: "token", purpose: "Goes with each request.", required: false }],
};

async function post(notification) {
  const { url } = JSON.parse(notification.extra);
  const headers = { "content-type": "application/json", "engine-credential": "bearer token" };
  try {
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ text: notification.body }) });
    const message = `${answer.status} ${answer.headers.get("x-answer")} ${await answer.text()}`;
    return { tag: "delivered", val: { providerId: "", message } };
  } catch (error) {
    return { tag: "unknown", val: { code: "fetch", message: String(error) } };
  }
}

export const notificationTarget = {
  describe: () => JSON.stringify(manifest),
  checkAddress: (text) => text.trim(),
  createNotification: ({ targetUserRecords, title, body, extra }) =>
    targetUserRecords.map(({ id }) => ({ targetUserRecordId: id, title, body, extra, notBefore: undefined })),
  sendNotifications: (batch) => Promise.all(batch.map(post)),
};
