// The outcomes of CodeSwift's predictions as a CSV file: `bench drafting --dump-predictions`.

import InferCodeSwift
package import InferSupport

/// Writes the outcomes of predictions as comma-separated values. `Tools/fit-mixer` fits the mixer's weights to them.
///
/// A line is one prediction at a place whose next token became known: the suite, the number of the place, 1 if the
/// prediction was right or 0, the probability that the mixer gave it, and the inputs of the mixer's sum.
package final class PredictionTable {
    /// The suite of the predictions that follow.
    var suite = ""
    private let file: OutputFile
    private var placeCount = 0
    /// The first error. Nothing is written after it.
    private var failure: InferenceError?

    /// Starts a table. ``finish()`` puts it at `path` and replaces a file there.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`.
    package init(path: String) throws(InferenceError) {
        file = try OutputFile(replacing: path)
        write((["suite", "place", "right", "probability"] + PredictionMixer.inputNames).joined(separator: ","))
    }

    /// Adds the predictions at one place.
    func add(_ outcomes: [PredictionOutcome]) {
        let name = "\"" + suite.replacing("\"", with: "\"\"") + "\""
        for outcome in outcomes {
            let numbers = ([outcome.probability] + outcome.inputs).map { "\($0)" }.joined(separator: ",")
            write("\(name),\(placeCount),\(outcome.isRight ? 1 : 0),\(numbers)")
        }
        placeCount += 1
    }

    /// Completes the file and gives it its name.
    func finish() throws(InferenceError) {
        if let failure { throw failure }
        try file.commit()
    }

    private func write(_ line: String) {
        guard failure == nil else { return }
        do throws(InferenceError) {
            try file.append(Array("\(line)\n".utf8))
        } catch {
            failure = error
        }
    }
}
