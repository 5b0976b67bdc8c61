// The file that `bench drafting --dump-guesses` writes.

import InferCodeSwift
import InferSupport

/// What became of CodeSwift's guesses, as lines of comma-separated values; what `Tools/fit-mixer` fits weights to.
///
/// A line is a guess at a place whose next token became known: the suite, the number of the place, whether the guess was right (1 or
/// 0), how likely it was by the mixer, and the inputs of the mixer's sum.
final class GuessTable {
    /// The suite that the guesses to come belong to.
    var suite = ""
    private let file: OutputFile
    private var placeCount = 0
    /// Why nothing more is written.
    private var failure: InferenceError?

    /// A table to be kept at `path`, which ``finish()`` replaces.
    init(path: String) throws(InferenceError) {
        file = try OutputFile(replacing: path)
        write((["suite", "place", "right", "probability"] + PredictionMixer.inputNames).joined(separator: ","))
    }

    /// Adds the guesses of one place.
    func add(_ outcomes: [PredictionOutcome]) {
        let name = "\"" + suite.replacing("\"", with: "\"\"") + "\""
        for outcome in outcomes {
            let numbers = ([outcome.probability] + outcome.inputs).map { "\($0)" }.joined(separator: ",")
            write("\(name),\(placeCount),\(outcome.isRight ? 1 : 0),\(numbers)")
        }
        placeCount += 1
    }

    /// Puts the file under its name.
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
