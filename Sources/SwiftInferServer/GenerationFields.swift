// The fields of a request that say how the answer is generated: sampling, limits, drafting. All interfaces share them.

#if Server

import InferSupport
import SwiftInfer

/// How the answers to a request are generated.
struct GenerationFields {
    /// The options of the first answer.
    var options = GenerationOptions()
    /// The number of answers to each prompt.
    var count = 1
    /// The number of top tokens that the client wants for each token; nil for no probabilities at all.
    var topLogProbabilities: Int?
    var drafter: DrafterChoice
    var reusesPrefix = true
    var owner: String
    /// Whether the answer comes in pieces.
    var isStream = false
    /// Whether the last piece of a stream contains the counts of tokens.
    var includesUsage = false
    /// Whether a stream reports how much of the prompt is evaluated.
    var reportsProgress = false
    /// Whether the pieces of a stream say which tokens a draft contained.
    var reportsDrafts = false

    /// The largest values of fields that take memory or time.
    private static let maximumCount = 16
    private static let maximumStops = 16
    private static let maximumStopBytes = 1024
    private static let maximumBiases = 1024
    private static let maximumTopTokens = 20

    /// Reads the fields of `request`.
    ///
    /// - Parameters:
    ///   - served: The model.
    ///   - owner: Whose prefixes and draft memory are used.
    ///   - limit: The names of the field for the number of tokens, the preferred one first.
    init(
        _ request: RequestReader, _ served: ServedModel, owner: String, limit: [String]
    ) throws(APIError) {
        self.owner = owner
        drafter = try served.drafter(request, owner: owner)
        options.sampling = served.options.sampling
        try readSampling(request, served)
        for name in limit {
            guard let tokens = try request.integer(name, -2...Int(Int32.max)) else { continue }
            // -1 is llama.cpp's "until the end", -2 its "until the context is full".
            options.maximumTokens = tokens < 0 ? nil : tokens
            break
        }
        options.stop = try Self.stops(request)
        options.ignoresEndOfText = try request.bool("ignore_eos") ?? false
        if let time = try request.integer("t_max_predict_ms", -1...Int(Int32.max)), time > 0 {
            options.timeLimitAfterNewline = .milliseconds(time)
        }
        if let indentation = try request.integer("n_indent", 0...Int(Int32.max)), indentation > 0 {
            options.minimumIndentation = indentation
        }
        count = try request.integer("n", 1...Self.maximumCount) ?? 1
        reusesPrefix = try request.bool("cache_prompt") ?? true
        isStream = try request.bool("stream") ?? false
        includesUsage = try request.reader("stream_options")?.bool("include_usage") ?? false
        reportsProgress = try request.bool("return_progress") ?? false
        reportsDrafts = try request.bool("swiftinfer") ?? false
        options.reportsTokens = reportsDrafts
        options.grammar = try AnswerForm(request)?.grammar
    }

    /// Asks for the probabilities of the tokens, with `count` top tokens each.
    mutating func wantProbabilities(_ count: Int?) {
        guard let count else { return }
        topLogProbabilities = count
        options.topLogProbabilities = count
        options.reportsTokens = true
    }

    /// The number of top tokens in the field `name`.
    static func topTokens(_ name: String, _ request: RequestReader) throws(APIError) -> Int? {
        try request.integer(name, 0...maximumTopTokens)
    }

    private mutating func readSampling(_ request: RequestReader, _ served: ServedModel) throws(APIError) {
        func float(_ name: String, _ range: ClosedRange<Double>) throws(APIError) -> Float? {
            try request.number(name, range).map { Float($0) }
        }
        var sampling = options.sampling
        sampling.temperature = try float("temperature", 0...100) ?? sampling.temperature
        if let topK = try request.integer("top_k", -1...Int(Int32.max)) { sampling.topK = max(0, topK) }
        if let topP = try float("top_p", 0...1) {
            // Several servers take 0 as "only the most probable token".
            sampling.topP = max(topP, .leastNormalMagnitude)
        }
        sampling.minP = try float("min_p", 0...1) ?? sampling.minP
        sampling.frequencyPenalty = try float("frequency_penalty", -100...100) ?? sampling.frequencyPenalty
        sampling.presencePenalty = try float("presence_penalty", -100...100) ?? sampling.presencePenalty
        if let penalty = try float("repeat_penalty", 0...100) { sampling.repeatPenalty = penalty > 0 ? penalty : 1 }
        if let window = try request.integer("repeat_last_n", -1...Int(Int32.max)) {
            sampling.penaltyWindow = window < 0 ? served.scheduler.contextLength : window
        }
        if let names = try request.strings("samplers", limit: 32), !names.isEmpty {
            // llama.vscode sends one text with a letter for each sampler. No sampler's name has these letters alone.
            let isLetters = names.count == 1 && names[0].allSatisfy("dkypsmtxie".contains)
            func has(_ name: String, _ letter: Character) -> Bool {
                isLetters ? names[0].contains(letter) : names.contains(name)
            }
            // Those that are left out are off.
            if !has("top_k", "k") { sampling.topK = 0 }
            if !has("top_p", "p") { sampling.topP = 1 }
            if !has("min_p", "m") { sampling.minP = 0 }
        }
        let seed = try request.integer("seed", Int.min...Int.max)
        switch seed {
        case .some(let seed) where seed != -1: sampling.seed = UInt64(bitPattern: Int64(seed))
        // Most readers of JSON keep numbers exact up to 2⁵³.
        case _ where sampling.temperature > 0: sampling.seed = .random(in: 0..<(1 << 53))
        default: break
        }
        sampling.logitBias = try Self.biases(request, served)
        options.sampling = sampling
    }

    private static func stops(_ request: RequestReader) throws(APIError) -> [String] {
        let stops = try request.strings("stop", limit: maximumStops) ?? []
        guard stops.allSatisfy({ $0.utf8.count <= maximumStopBytes }) else {
            throw request.error("stop", "has a text of more than \(maximumStopBytes) bytes")
        }
        return stops.filter { !$0.isEmpty }
    }

    /// The biases, as OpenAI writes them (`{"15043": -1}`) or llama.cpp (`[[15043, -1], [" word", false]]`).
    private static func biases(
        _ request: RequestReader, _ served: ServedModel
    ) throws(APIError) -> [TokenID: Float] {
        var biases: [TokenID: Float] = [:]
        switch request.value("logit_bias") {
        case nil: break
        case .object(let object):
            guard object.members.count <= maximumBiases else {
                throw request.error("logit_bias", "has more than \(maximumBiases) members")
            }
            for member in object.members {
                let key: JSONValue = Int(member.key).map { .integer($0) } ?? .string(member.key)
                try addBias(key, member.value, to: &biases, request, served)
            }
        case .array(let elements):
            guard elements.count <= maximumBiases else {
                throw request.error("logit_bias", "has more than \(maximumBiases) elements")
            }
            for element in elements {
                guard let pair = element.array, pair.count == 2 else {
                    throw request.error("logit_bias", "has an element that is not a pair of token and bias")
                }
                try addBias(pair[0], pair[1], to: &biases, request, served)
            }
        default: throw request.error("logit_bias", "must be an object or an array of pairs")
        }
        return biases
    }

    /// Adds the bias of one token, or of all tokens of a text.
    private static func addBias(
        _ key: JSONValue, _ value: JSONValue, to biases: inout [TokenID: Float], _ request: RequestReader,
        _ served: ServedModel
    ) throws(APIError) {
        let bias: Float
        switch value {
        case .bool(false): bias = -.infinity
        default:
            guard let number = value.double, number.isFinite, abs(number) <= 1e6 else {
                throw request.error("logit_bias", "has a bias that is not a number between -1e6 and 1e6, or false")
            }
            bias = Float(number)
        }
        switch key {
        case .integer(let id):
            guard (0..<served.tokenizer.count).contains(id) else {
                throw request.error(
                    "logit_bias", "has the token \(id), which is outside the vocabulary of \(served.tokenizer.count)")
            }
            biases[TokenID(id)] = bias
        case .string(let text):
            for token in served.tokenizer.encode(text, addSpecial: false) { biases[token] = bias }
        default: throw request.error("logit_bias", "has a key that is neither a token nor a text")
        }
    }

    /// The tokens of `prompt`, which leave room for the answer.
    ///
    /// - Throws: ``APIError`` with `context_length_exceeded` if the context does not hold the prompt. It names `field`.
    func tokens(of prompt: Prompt, _ served: ServedModel, field: String) throws(APIError) -> [TokenID] {
        try Self.checked(served, field: field) { () throws(InferenceError) in try served.model.tokens(for: prompt) }
    }

    /// The tokens of the prompt for a gap. It is cut to what the context holds beside the answer.
    func tokens(of prompt: InfillPrompt, _ served: ServedModel, field: String) throws(APIError) -> [TokenID] {
        let length = served.scheduler.contextLength
        return try Self.checked(served, field: field) { () throws(InferenceError) in
            try prompt.tokens(for: served.tokenizer, limit: length - options.reservedTokens(of: length))
        }
    }

    private static func checked(
        _ served: ServedModel, field: String, _ make: () throws(InferenceError) -> [TokenID]
    ) throws(APIError) -> [TokenID] {
        let tokens: [TokenID]
        do throws(InferenceError) { tokens = try make() } catch { throw APIError(error, field: field) }
        guard tokens.count <= served.scheduler.contextLength else {
            throw .invalid(
                field,
                "the prompt has \(tokens.count) tokens, but the context holds only \(served.scheduler.contextLength)",
                code: "context_length_exceeded")
        }
        return tokens
    }

    /// The requests for all answers to prompts of these tokens, in order.
    func requests(for prompts: [[TokenID]]) -> [Scheduler.Request] {
        prompts.flatMap { tokens in
            (0..<count).map { index in
                var options = options
                options.sampling.seed &+= UInt64(index)
                var request = Scheduler.Request(.tokens(tokens), options: options)
                request.owner = owner
                request.drafter = drafter
                request.reusesPrefix = reusesPrefix
                return request
            }
        }
    }
}

#endif
