// The settings of a conversation that can be changed while it goes on.

package import InferSupport
package import SwiftInfer

/// What `/set` changes.
package struct ConversationSettings: Equatable {
    /// How tokens are chosen, without a seed.
    package var sampling: SamplingOptions
    /// The seed of each answer; nil for a new one each time.
    package var seed: UInt64?
    /// The largest number of tokens of an answer; nil for as many as the context holds.
    package var maximumTokens: Int?
    /// Texts that end an answer.
    package var stop: [String] = []
    /// Whether the tokens that end a text are never chosen.
    package var ignoresEndOfText = false
    /// Whether an answer that loops is ended.
    package var stopsLoops = true
    /// Whether times are printed after each answer.
    package var printsStatistics = false
    /// Whether accepted draft tokens are underlined.
    package var showsDrafts = false

    /// Settings with this sampling.
    package init(sampling: SamplingOptions) { self.sampling = sampling }

    /// The names of all settings, and their values as texts.
    package var list: [(name: String, value: String)] {
        [
            ("preset", SamplingPreset.allCases.first { $0.options == sampling }?.rawValue ?? "-"),
            ("temperature", "\(sampling.temperature)"), ("top-k", "\(sampling.topK)"), ("top-p", "\(sampling.topP)"),
            ("min-p", "\(sampling.minP)"), ("repeat-penalty", "\(sampling.repeatPenalty)"),
            ("frequency-penalty", "\(sampling.frequencyPenalty)"), ("presence-penalty", "\(sampling.presencePenalty)"),
            ("seed", seed.map(String.init) ?? "-1"), ("n", maximumTokens.map(String.init) ?? "-1"),
            ("stop", stop.isEmpty ? "-" : stop.map(\.escaped).joined(separator: " | ")),
            ("loop-stop", stopsLoops ? "on" : "off"), ("stats", printsStatistics ? "on" : "off"),
            ("show-drafts", showsDrafts ? "on" : "off"),
        ]
    }

    /// Changes the setting `name`. Names may have underlines, and those of other programs are known.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument`, with a text for people.
    package mutating func set(_ name: String, _ value: String) throws(InferenceError) {
        var changed = self
        switch name.lowercased().replacing("_", with: "-") {
        case "preset":
            guard let preset = SamplingPreset(rawValue: value) else {
                let names = SamplingPreset.allCases.map(\.rawValue).joined(separator: ", ")
                throw Self.refusal("\(value.printable) is no preset; there are \(names)")
            }
            changed.sampling = preset.options
        case "temperature", "temp", "t": changed.sampling.temperature = try Self.number(value)
        case "top-k": changed.sampling.topK = max(0, try Self.count(value))
        case "top-p": changed.sampling.topP = try Self.number(value)
        case "min-p": changed.sampling.minP = try Self.number(value)
        case "repeat-penalty": changed.sampling.repeatPenalty = try Self.number(value)
        case "frequency-penalty": changed.sampling.frequencyPenalty = try Self.number(value)
        case "presence-penalty": changed.sampling.presencePenalty = try Self.number(value)
        case "seed": changed.seed = try Self.count(value) < 0 ? nil : UInt64(Self.count(value))
        case "n", "num-predict", "n-predict", "max-tokens":
            changed.maximumTokens = try Self.count(value) < 0 ? nil : Self.count(value)
        case "stop": changed.stop = value == "off" || value.isEmpty ? [] : [value]
        case "loop-stop": changed.stopsLoops = try Self.isOn(value)
        case "stats", "verbose": changed.printsStatistics = try Self.isOn(value)
        case "show-drafts": changed.showsDrafts = try Self.isOn(value)
        default:
            let names = list.map(\.name).joined(separator: ", ")
            throw Self.refusal("\(name.printable) is no setting; there are \(names)")
        }
        try changed.sampling.validate()
        self = changed
    }

    /// The options of the next answer.
    package var options: GenerationOptions {
        var options = GenerationOptions()
        options.maximumTokens = maximumTokens
        options.sampling = sampling
        options.sampling.seed = seed ?? (sampling.temperature > 0 ? .random(in: 0..<(1 << 53)) : 0)
        options.stop = stop
        options.ignoresEndOfText = ignoresEndOfText
        options.stopsLoops = stopsLoops
        options.includesControlTokens = true
        options.reportsTokens = showsDrafts
        return options
    }

    private static func number(_ text: String) throws(InferenceError) -> Float {
        guard let value = Float(text) else { throw refusal("\(text.printable) is not a number") }
        return value
    }

    private static func count(_ text: String) throws(InferenceError) -> Int {
        guard let value = Int(text) else { throw refusal("\(text.printable) is not a whole number") }
        return value
    }

    private static func isOn(_ text: String) throws(InferenceError) -> Bool {
        switch text.lowercased() {
        case "on", "true", "yes", "1", "": true
        case "off", "false", "no", "0": false
        default: throw refusal("\(text.printable) is neither on nor off")
        }
    }

    private static func refusal(_ message: String) -> InferenceError { InferenceError(.invalidArgument, message) }
}
