//! The one table at the end.

/// Rows of `work | figure | goal | reached`.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// A figure that is held against a goal.
    pub(crate) fn judged(&mut self, work: impl Into<String>, figure: String, goal: &str, reached: bool) {
        let reached = if reached { "yes" } else { "NO" };
        self.add(work.into(), figure, goal, reached);
    }

    /// A figure without a goal.
    pub(crate) fn told(&mut self, work: impl Into<String>, figure: String) {
        self.add(work.into(), figure, "", "");
    }

    /// Says what is done meanwhile, and adds a row.
    fn add(&mut self, work: String, figure: String, goal: &str, reached: &str) {
        eprintln!("  {work}: {figure}");
        self.rows.push([work, figure, goal.to_owned(), reached.to_owned()]);
    }

    /// Prints it.
    pub(crate) fn print(&self) {
        let headings = ["work", "figure", "goal", "reached"].map(str::to_owned);
        let mut widths = headings.each_ref().map(|heading| heading.chars().count());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        print_row(&headings, widths);
        print_row(&widths.map(|width| "-".repeat(width)), widths);
        for row in &self.rows {
            print_row(row, widths);
        }
    }
}

fn print_row(cells: &[String; 4], widths: [usize; 4]) {
    let padded: Vec<String> =
        cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    println!("| {} |", padded.join(" | "));
}
