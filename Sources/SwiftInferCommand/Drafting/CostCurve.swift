// Costs of steps by their rows, from a file.

import Foundation
import InferSupport

/// C(n), the time of a step of n rows over that of one row, as measured elsewhere.
struct CostCurve: Sendable {
    private struct File: Decodable {
        let stepCost: [[Double]]

        enum CodingKeys: String, CodingKey { case stepCost = "step_cost" }
    }

    /// At index i the cost of i + 1 rows.
    let costs: [Double]

    /// Reads pairs [n, C(n)] from the file at `path`: a JSON list of them, or what `bench model --json` prints. Between
    /// two n the curve is a straight line, beyond the last it goes on as between the last two.
    init(contentsOf path: String, maximumRows: Int) throws(InferenceError) {
        let data = Data(try InputText.file(path))
        let decoder = JSONDecoder()
        let pairs =
            (try? decoder.decode([[Double]].self, from: data))
            ?? (try? decoder.decode(File.self, from: data).stepCost)
        guard let costs = pairs.flatMap({ Self.costs($0, maximumRows: maximumRows) }) else {
            throw InferenceError(
                .unreadableFile, "\(path) is not a list of pairs [rows, cost] that begins with [1, 1] and rises")
        }
        self.costs = costs
    }

    /// The costs of 1…`maximumRows` rows through `pairs`; nil when these are not pairs, do not begin with [1, 1] or
    /// fall.
    static func costs(_ pairs: [[Double]], maximumRows: Int) -> [Double]? {
        guard pairs.count >= 2, pairs.allSatisfy({ $0.count == 2 }), pairs[0] == [1, 1],
            zip(pairs, pairs.dropFirst()).allSatisfy({ $0[0] < $1[0] && $0[1] <= $1[1] })
        else { return nil }
        return (1...maximumRows).map { rows in
            let upper = pairs.firstIndex { $0[0] >= Double(rows) } ?? pairs.count - 1
            let (low, high) = (pairs[max(upper, 1) - 1], pairs[max(upper, 1)])
            return low[1] + (high[1] - low[1]) * (Double(rows) - low[0]) / (high[0] - low[0])
        }
    }
}
