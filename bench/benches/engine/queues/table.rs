//! How the figures are told: a column for each who drains, a row for each round.

use crate::median;

const LABEL: usize = 19;

/// Those who drain, of which the first is what the others are compared with.
pub struct Table {
    columns: Vec<Column>,
}

pub struct Column {
    title: &'static str,
    /// Whether a ratio to the first one means something.
    compared: bool,
    rates: Vec<f64>,
}

impl Column {
    pub fn new(title: &'static str, compared: bool) -> Column {
        Column { title, compared, rates: Vec::new() }
    }
}

impl Table {
    pub fn new(columns: Vec<Column>) -> Table {
        Table { columns }
    }

    pub fn head(&self) -> String {
        self.row("", |column| column.title.to_owned())
    }

    /// Takes the rates of one more round and tells them.
    pub fn round(&mut self, rates: &[f64]) -> String {
        for (column, rate) in self.columns.iter_mut().zip(rates) {
            column.rates.push(*rate);
        }
        let number = self.columns[0].rates.len();
        self.row(&format!("round {number}"), |column| format!("{:.0}", column.rates[number - 1]))
    }

    /// The medians of all rounds, and those of each round's ratios with the lowest and highest.
    pub fn summary(&self) -> String {
        let medians = self.row("median", |column| format!("{:.0}", median(&mut column.rates.clone())));
        let ratios = self.row("ratio", |column| self.ratios(column, |sorted| format!("{:.2}", median(sorted))));
        let bounds = self.row("lowest to highest", |column| {
            self.ratios(column, |sorted| format!("{:.2} to {:.2}", sorted[0], sorted[sorted.len() - 1]))
        });
        format!("{medians}\n{ratios}\n{bounds}")
    }

    fn ratios(&self, column: &Column, told: impl Fn(&mut [f64]) -> String) -> String {
        if !column.compared {
            return String::new();
        }
        let mut ratios: Vec<_> = column.rates.iter().zip(&self.columns[0].rates).map(|(rate, of)| rate / of).collect();
        ratios.sort_by(f64::total_cmp);
        told(&mut ratios)
    }

    fn row(&self, label: &str, cell: impl Fn(&Column) -> String) -> String {
        let cells = self.columns.iter().map(|column| format!("  {:>1$}", cell(column), column.title.len().max(12)));
        format!("  {label:<LABEL$}{}", cells.collect::<String>()).trim_end().to_owned()
    }
}
