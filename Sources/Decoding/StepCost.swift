// The time of a step as a function of its number of rows.

/// The time of a step as a function of its number of rows, learned from the steps of generations.
///
/// Numbers of rows that were never tried are estimated from those that were: between two of them by a straight line, beyond them
/// by the time of a further row. The curve never falls.
package struct StepCost: Sendable {
    private struct Measurement {
        /// Seconds.
        var time: Double
        var count = 0
    }

    /// The largest number of rows that the curve covers.
    package let maximumRows: Int
    /// At index n, the measurement of n rows.
    private var measurements: [Measurement?]
    /// At index n, the estimate for n rows in seconds.
    private var estimates: [Double] = []
    /// Seconds per further row, known from steps of many rows; nil before the first such step.
    private var rowTime: Double?
    private var isFixed = false

    /// The assumed cost of a further row as a share of the first, until it is measured. It is lower than on most machines, so
    /// that wider steps are tried and measured.
    private static let assumedShare = 0.15

    /// A curve for up to `maximumRows` rows without measurements.
    package init(maximumRows: Int) {
        self.maximumRows = maximumRows
        measurements = Array(repeating: nil, count: maximumRows + 1)
    }

    /// A given curve that no step changes: `seconds[i]` is the time of i + 1 rows.
    package init(seconds: [Double]) {
        self.init(maximumRows: seconds.count)
        estimates = [0] + seconds
        isFixed = true
    }

    /// Whether there is any measurement to estimate from.
    package var isKnown: Bool { estimates.count > 1 }

    /// The estimated seconds of a step of `rows` rows, 1 or more. Zero before anything is known.
    package func seconds(rows: Int) -> Double { isKnown ? estimates[min(rows, maximumRows)] : 0 }

    /// The estimated curve: for each number of rows, from 1, the time over that of one row. Empty before anything is known.
    package var curve: [Double] { isKnown ? estimates.dropFirst().map { $0 / estimates[1] } : [] }

    /// Learns that a step of many rows, of a prompt, took `seconds`.
    package mutating func observePrompt(rows: Int, seconds: Double) {
        guard rows > maximumRows, seconds > 0, !isFixed else { return }
        let time = seconds / Double(rows)
        rowTime = rowTime.map { min($0, time) } ?? time
        if isKnown { estimate() }
    }

    /// Learns that a step of `rows` rows took `seconds`.
    package mutating func observe(rows: Int, seconds: Double) {
        guard rows > 0, rows <= maximumRows, seconds > 0, !isFixed else { return }
        if var measurement = measurements[rows] {
            // The effect of one measurement is limited, because the system may have been busy with something else.
            let ratio = min(max(seconds / measurement.time, 0.5), 1.5)
            measurement.count += 1
            let share = 1 / Double(min(measurement.count, 6) + 1)
            measurement.time *= 1 + share * (ratio - 1)
            measurements[rows] = measurement
            // All steps become slower together as the text grows.
            if measurement.count > 3 { scaleOthers(than: rows, by: 1 + 0.05 * (min(max(ratio, 0.8), 1.25) - 1)) }
        } else {
            // A first measurement that is too long would prevent this number of rows from being tried again.
            let limit = isKnown ? 1.5 * estimates[rows] : .infinity
            measurements[rows] = Measurement(time: min(seconds, limit))
        }
        estimate()
        forgetSlowly(except: rows)
    }

    private mutating func scaleOthers(than rows: Int, by factor: Double) {
        for other in 1...maximumRows where other != rows { measurements[other]?.time *= factor }
    }

    /// Moves measurements above the line of their neighbours slowly towards it, so that numbers of rows that were slow once are
    /// tried again.
    private mutating func forgetSlowly(except rows: Int) {
        for other in 1...maximumRows where other != rows {
            guard let time = measurements[other]?.time else { continue }
            let line = interpolated(other)
            if time > line { measurements[other]?.time = time + 0.002 * (line - time) }
        }
    }

    private mutating func estimate() {
        var raw = (0...maximumRows).map { $0 == 0 ? 0 : measurements[$0]?.time ?? interpolated($0) }
        // The mean of the lowest rising curve above and the highest below.
        var falling = raw
        for rows in stride(from: maximumRows - 1, to: 0, by: -1) { falling[rows] = min(raw[rows], falling[rows + 1]) }
        for rows in 1...maximumRows { raw[rows] = max(raw[rows], raw[rows - 1]) }
        estimates = zip(raw, falling).map { ($0 + $1) / 2 }
    }

    /// The time of `rows` rows according to the measurements of other numbers of rows.
    private func interpolated(_ rows: Int) -> Double {
        let below = measurements[..<rows].lastIndex { $0 != nil }
        let above = measurements[(rows + 1)...].firstIndex { $0 != nil }
        let low = below.flatMap { measurements[$0]?.time }
        let high = above.flatMap { measurements[$0]?.time }
        switch (below, low, above, high) {
        case (let below?, let low?, let above?, let high?):
            return low + (high - low) * Double(rows - below) / Double(above - below)
        case (let below?, let low?, _, _):
            return low + furtherRow * Double(rows - below)
        case (_, _, let above?, let high?):
            return max(high - furtherRow * Double(above - rows), high / Double(above) * Double(rows))
        default:
            return measurements[rows]?.time ?? 0
        }
    }

    /// Seconds per further row.
    private var furtherRow: Double {
        if let rowTime { return rowTime }
        let first = measurements[1]?.time ?? measurements.lazy.compactMap { $0?.time }.first ?? 0
        return Self.assumedShare * first
    }
}
