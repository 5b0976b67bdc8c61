// The frame of a plot.

import Foundation

/// Maps values to places in a drawing.
struct PlotAxes {
    /// The corner and size of the area that curves are drawn in.
    let frame: (x: Double, y: Double, width: Double, height: Double)
    let xRange: ClosedRange<Double>
    let yRange: ClosedRange<Double>

    /// Axes over the given values in the given area.
    init(
        frame: (x: Double, y: Double, width: Double, height: Double), x: ClosedRange<Double>, y: ClosedRange<Double>
    ) {
        self.frame = frame
        xRange = x
        yRange = y
    }

    /// Where `value` lies from left to right.
    func x(_ value: Double) -> Double {
        frame.x + frame.width * (value - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound)
    }

    /// Where `value` lies from top to bottom.
    func y(_ value: Double) -> Double {
        frame.y + frame.height * (1 - (value - yRange.lowerBound) / (yRange.upperBound - yRange.lowerBound))
    }

    /// Draws the title above, and at round values lines across with their numbers.
    func draw(title: String, in document: inout SVGDocument) {
        document.text(title, x: frame.x, y: frame.y - 10, size: 13, isBold: true)
        let step = Self.roundStep(yRange.upperBound - yRange.lowerBound)
        var value = (yRange.lowerBound / step).rounded(.up) * step
        while value <= yRange.upperBound {
            document.line(from: (frame.x, y(value)), to: (frame.x + frame.width, y(value)), stroke: "#ddd")
            document.text(
                Format.decimal(value, step < 1 ? 1 : 0), x: frame.x - 6, y: y(value) + 4, anchor: .end)
            value += step
        }
    }

    /// The distance of about five lines over `span`: 0.1, 0.2, 0.5, 1, 2, 5, …
    private static func roundStep(_ span: Double) -> Double {
        var unit = 0.1
        while true {
            for step in [unit, 2 * unit, 5 * unit] where span / step <= 6.5 || !span.isFinite { return step }
            unit *= 10
        }
    }

    /// The binary logarithm of a number of rows.
    static func log2(_ rows: Double) -> Double { Foundation.log2(rows) }
}
