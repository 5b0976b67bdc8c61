// Drawings in the SVG format, and the axes of a plot.

/// An SVG drawing, built shape by shape. Lengths are in pixels; the origin is the upper left corner.
struct SVGDocument: CustomStringConvertible {
    /// The side of a text that is at its point.
    enum Anchor: String {
        case start, middle, end
    }

    let width: Double
    let height: Double
    private var body = ""

    /// An empty, white drawing.
    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    /// Adds a filled rectangle.
    mutating func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String) {
        body += "<rect x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\" fill=\"\(fill)\"/>\n"
    }

    /// Adds a straight line.
    mutating func line(
        from start: (x: Double, y: Double), to end: (x: Double, y: Double), stroke: String = "#bbb",
        isDashed: Bool = false
    ) {
        body +=
            "<line x1=\"\(n(start.x))\" y1=\"\(n(start.y))\" x2=\"\(n(end.x))\" y2=\"\(n(end.y))\" stroke=\"\(stroke)\""
            + (isDashed ? " stroke-dasharray=\"4 3\"" : "") + "/>\n"
    }

    /// Adds a line through several points.
    mutating func path(_ points: [(x: Double, y: Double)], stroke: String) {
        let list = points.map { "\(n($0.x)),\(n($0.y))" }.joined(separator: " ")
        body += "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(stroke)\" stroke-width=\"2\"/>\n"
    }

    /// Adds a dot.
    mutating func dot(x: Double, y: Double, radius: Double, fill: String, opacity: Double = 1) {
        body +=
            "<circle cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\" fill=\"\(fill)\" fill-opacity=\"\(n(opacity))\"/>\n"
    }

    /// Adds a text.
    mutating func text(
        _ text: String, x: Double, y: Double, size: Double = 11, anchor: Anchor = .start, isBold: Bool = false,
        fill: String = "#222"
    ) {
        body +=
            "<text x=\"\(n(x))\" y=\"\(n(y))\" font-size=\"\(n(size))\" text-anchor=\"\(anchor.rawValue)\""
            + " fill=\"\(fill)\"" + (isBold ? " font-weight=\"bold\"" : "") + ">\(Self.escaped(text))</text>\n"
    }

    var description: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="\(n(width))" height="\(n(height))" \
        viewBox="0 0 \(n(width)) \(n(height))" font-family="sans-serif">
        <rect width="100%" height="100%" fill="white"/>
        \(body)</svg>

        """
    }

    /// A length to a hundredth of a pixel.
    private func n(_ value: Double) -> String { Format.decimal(value, 2) }

    private static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            default: String(character)
            }
        }.joined()
    }
}

/// Maps values to coordinates in a drawing.
struct PlotAxes {
    /// The upper left corner and size of the area that curves are drawn in.
    let frame: (x: Double, y: Double, width: Double, height: Double)
    let xRange: ClosedRange<Double>
    let yRange: ClosedRange<Double>

    /// Axes over the ranges `x` and `y` in the area `frame`.
    init(
        frame: (x: Double, y: Double, width: Double, height: Double), x: ClosedRange<Double>, y: ClosedRange<Double>
    ) {
        self.frame = frame
        xRange = x
        yRange = y
    }

    /// The horizontal coordinate of `value`.
    func x(_ value: Double) -> Double {
        frame.x + frame.width * (value - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound)
    }

    /// The vertical coordinate of `value`.
    func y(_ value: Double) -> Double {
        frame.y + frame.height * (1 - (value - yRange.lowerBound) / (yRange.upperBound - yRange.lowerBound))
    }

    /// Draws the title and a labelled horizontal line at each round value.
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

    /// The distance between about five lines over `span`: 0.1, 0.2, 0.5, 1, 2, 5, …
    private static func roundStep(_ span: Double) -> Double {
        var unit = 0.1
        while true {
            for step in [unit, 2 * unit, 5 * unit] where span / step <= 6.5 || !span.isFinite { return step }
            unit *= 10
        }
    }
}
