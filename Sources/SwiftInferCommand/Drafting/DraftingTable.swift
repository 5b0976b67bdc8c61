// `bench drafting`'s table.

/// The figures of a report for people.
struct DraftingTable: CustomStringConvertible {
    let report: DraftingReport

    private typealias Column = (title: String, value: @Sendable (DraftingReport.Row) -> String?)

    private static let columns: [Column] = [
        ("width", { $0.width.map(String.init) }),
        ("tasks", { String($0.tasks) }),
        ("tokens", { String($0.tokens) }),
        ("tokens/s", { $0.tokensPerSecond.map { Format.decimal($0, 1) } }),
        ("speed-up", { $0.speedup.map { Format.decimal($0, 2) } }),
        ("median", { $0.medianSpeedup.map { Format.decimal($0, 2) } }),
        ("worst task", { $0.worstTaskSpeedup.map { Format.decimal($0, 2) } }),
        ("tokens/step", { Format.decimal($0.tokensPerStep, 2) }),
        ("drafted", { String($0.drafted) }),
        ("accepted", { String($0.accepted) }),
        ("µs/step", { Format.decimal($0.retrievalPerStep.value, 0) }),
        ("in loops", { Format.decimal(100 * $0.inLoopShare, 0) + "%" }),
        ("speed-up before loops", { $0.speedupWithoutLoops.map { Format.decimal($0, 2) } }),
    ]

    var description: String {
        let columns = Self.columns.filter { column in report.rows.contains { column.value($0) != nil } }
        var lines: [[String]] = []
        var suite: String?
        for row in report.rows {
            if row.suite != suite {
                lines.append([row.suite] + columns.map(\.title))
                suite = row.suite
            }
            lines.append(["  " + row.drafter] + columns.map { $0.value(row) ?? "–" })
        }
        let profile = report.profile.map { part in
            "  " + Format.left(part.part, 24) + Format.right(Format.decimal(part.calls.value, 1), 8)
                + Format.right(Format.decimal(part.time.value, 1), 8) + "\n"
        }
        let widths = (0...columns.count).map { column in lines.reduce(0) { max($0, $1[column].count) } }
        return lines.map { line in
            line.enumerated().map { column, text in
                column == 0 ? Format.left(text, widths[0]) : "  " + Format.right(text, widths[column])
            }.joined() + "\n"
        }.joined() + (profile.isEmpty ? "" : "codeswift: calls and µs per step\n" + profile.joined())
    }
}
