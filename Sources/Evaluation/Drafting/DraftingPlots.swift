// The figures of a drafting benchmark as a drawing: `bench drafting --svg`.

import Foundation

/// Draws a report: speed-ups if steps have a time or a cost, tokens per step by width if widths were fixed, and the
/// step cost.
package struct DraftingPlots {
    private var document: SVGDocument
    private let report: DraftingReport
    private let drafters: [String]
    private let suites: [String]

    private static let colors = [
        "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999933", "#882255",
    ]
    private static let width = 960.0
    private static let panelHeight = 300.0
    private static let legendHeight = 34.0
    private static let widthPanelsPerRow = 3
    private static let widthPanelHeight = 240.0

    /// The drawing as the text of an SVG file.
    package var svg: String { document.description }

    /// Draws `report`.
    package init(_ report: DraftingReport) {
        self.report = report
        var drafters: [String] = []
        var suites: [String] = []
        for row in report.rows {
            if row.drafter != "none", !drafters.contains(row.drafter) { drafters.append(row.drafter) }
            if !suites.contains(row.suite) { suites.append(row.suite) }
        }
        self.drafters = drafters
        self.suites = suites
        let hasSpeedups = report.rows.contains { $0.speedup != nil }
        let hasWidths = report.rows.contains { $0.width != nil }
        let rowsOfWidths = (suites.count + Self.widthPanelsPerRow - 1) / Self.widthPanelsPerRow
        let heightOfWidths = hasWidths ? 30 + Double(rowsOfWidths) * Self.widthPanelHeight : 0
        let panels = [hasSpeedups, !report.stepCost.isEmpty].count { $0 }
        document = SVGDocument(
            width: Self.width, height: Self.legendHeight + heightOfWidths + Double(panels) * Self.panelHeight)
        drawLegend()
        var top = Self.legendHeight
        if hasSpeedups {
            drawSpeedups(top)
            top += Self.panelHeight
        }
        if hasWidths {
            drawWidths(top)
            top += heightOfWidths
        }
        if !report.stepCost.isEmpty { drawStepCost(top) }
    }

    private func color(_ drafter: String) -> String {
        Self.colors[(drafters.firstIndex(of: drafter) ?? 0) % Self.colors.count]
    }

    private mutating func drawLegend() {
        var x = 56.0
        for drafter in drafters {
            document.rectangle(x: x, y: 12, width: 12, height: 12, fill: color(drafter))
            document.text(drafter, x: x + 17, y: 22, size: 12)
            x += 44 + 7 * Double(drafter.count)
        }
    }

    private mutating func drawSpeedups(_ top: Double) {
        let values = report.rows.compactMap(\.speedup)
        let axes = PlotAxes(
            frame: (56, top + 30, Self.width - 76, Self.panelHeight - 62), x: 0...Double(max(suites.count, 1)),
            y: 0...max(1.2, 1.25 * (values.max() ?? 1)))
        axes.draw(title: "Speed-up over plain decoding (\(report.mode)); dots: single tasks", in: &document)
        let slot = 0.84 / Double(max(drafters.count, 1))
        for (group, suite) in suites.enumerated() {
            document.text(
                suite, x: axes.x(Double(group) + 0.5), y: top + Self.panelHeight - 14, size: 12, anchor: .middle)
            for (index, drafter) in drafters.enumerated() {
                let rows = report.rows.filter { $0.suite == suite && $0.drafter == drafter }
                guard let speedup = rows.compactMap(\.speedup).first else { continue }
                let left = axes.x(Double(group) + 0.08 + slot * Double(index))
                let barWidth = 0.86 * (axes.x(slot) - axes.x(0))
                let height = axes.y(0) - axes.y(speedup)
                document.rectangle(x: left, y: axes.y(speedup), width: barWidth, height: height, fill: color(drafter))
                for task in report.tasks where task.suite == suite && task.drafter == drafter {
                    guard let value = task.speedup, axes.yRange.contains(value) else { continue }
                    document.dot(x: left + 0.8 * barWidth, y: axes.y(value), radius: 1.6, fill: "#000", opacity: 0.25)
                }
                document.text(
                    Format.decimal(speedup, 2), x: left + barWidth / 2, y: axes.y(0) - 5, size: 10, anchor: .middle,
                    fill: "#fff")
            }
        }
        document.line(
            from: (axes.x(0), axes.y(1)), to: (axes.x(Double(suites.count)), axes.y(1)), stroke: "#222", isDashed: true)
    }

    private mutating func drawWidths(_ top: Double) {
        let rows = report.rows.filter { $0.width != nil }
        document.text(
            "Tokens per step by the rows of a step (\(report.mode))", x: 36, y: top + 20, size: 13, isBold: true)
        let widest = Double(rows.compactMap(\.width).max() ?? 2)
        let span = (Self.width - 20) / Double(Self.widthPanelsPerRow)
        for (index, suite) in suites.enumerated() {
            let own = rows.filter { $0.suite == suite }
            let x = 36 + span * Double(index % Self.widthPanelsPerRow)
            let y = top + 52 + Self.widthPanelHeight * Double(index / Self.widthPanelsPerRow)
            let axes = PlotAxes(
                frame: (x, y, span - 48, Self.widthPanelHeight - 58),
                x: log2(1)...log2(max(widest, 2)),
                y: 1...max(1.5, 1.05 * (own.map(\.tokensPerStep).max() ?? 1)))
            axes.draw(title: suite, in: &document)
            for width in Set(own.compactMap(\.width)).sorted() {
                let place = axes.x(log2(Double(width)))
                document.text(String(width), x: place, y: axes.y(1) + 16, anchor: .middle)
            }
            for drafter in drafters {
                let points = own.filter { $0.drafter == drafter }.compactMap { row in
                    row.width.map { (axes.x(log2(Double($0))), axes.y(row.tokensPerStep)) }
                }
                document.path(points, stroke: color(drafter))
                for point in points { document.dot(x: point.0, y: point.1, radius: 3, fill: color(drafter)) }
            }
        }
    }

    private mutating func drawStepCost(_ top: Double) {
        let axes = PlotAxes(
            frame: (56, top + 30, Self.width - 76, Self.panelHeight - 72), x: 1...(report.stepCost.last?[0] ?? 1) + 1,
            y: 0...1.05 * max(report.stepCost.map { $0[1] }.max() ?? 1, 1))
        axes.draw(title: "Cost of a step by its rows, over that of one row", in: &document)
        for rows in stride(from: 8, through: Int(axes.xRange.upperBound), by: 8) {
            document.text(String(rows), x: axes.x(Double(rows)), y: top + Self.panelHeight - 28, anchor: .middle)
        }
        document.path(report.stepCost.map { (axes.x($0[0]), axes.y($0[1])) }, stroke: "#222")
    }
}
