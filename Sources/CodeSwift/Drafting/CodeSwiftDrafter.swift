// The CodeSwift drafter: many sources, one draft tree.

public import InferDecoding
import InferTokenizers

/// Drafts from the text itself, from the model's earlier outputs and top tokens, from the repository and from
/// datastores (after Zhang et al., "CodeSwift: Accelerating LLM Inference for Efficient Code Generation", arXiv
/// 2502.17139).
///
/// Each source offers the continuations of the longest ending of the text that it knows, and of some shorter endings. A
/// formula over match length, occurrences and share gives each prediction a prior probability, which observed outcomes
/// correct. A mixer combines the predictions of all sources, and the draft tree grows best-first.
public final class CodeSwiftDrafter: Drafter {
    /// The name that selects this drafter.
    public let name = "codeswift"
    /// Number of top tokens that the preference source keeps; 0 without it.
    public var topTokensWanted: Int { preferences == nil ? 0 : PreferenceSource.width }

    /// True if ``AcceptanceTable`` and ``PredictionMixer`` calibrate the values. A second calibration brings no gain.
    public var isCalibrated: Bool { options.calibrates }

    private let options: Options
    private var stores: [StoreSource] = []
    private let context: ContextSource?
    private let history: HistorySource?
    private let cursor: CursorSource?
    private let preferences: PreferenceSource?
    private var sources: [any DraftSource] = []
    private var acceptance = AcceptanceModel()
    private var text: [TokenID] = []
    /// Position in the text where the output begins.
    private var outputStart = 0
    private var growth = TreeGrowth()
    /// Nodes with a lower value are not drafted. Adapts to the values that the engine checks.
    private var floor: Float = 0.01
    /// Records where the time is spent, if it is measured.
    private let profile: DraftProfile?
    /// Receives the outcomes of predictions.
    private let observer: (([PredictionOutcome]) -> Void)?

    /// Which parts are active. Used to measure what each part contributes.
    package struct Options: Sendable {
        /// Predict from the text itself.
        package var usesContext = true
        /// Predict from earlier outputs.
        package var usesHistory = true
        /// Follow the text that the output rewrites.
        package var usesCursor = true
        /// Predict from the model's own top tokens.
        package var usesPreferences = true
        /// Correct probabilities by observed outcomes.
        package var calibrates = true
        /// Predict from the repository's segments.
        package var usesRepository = true
        /// Predict from datastores.
        package var usesCommonStores = true

        package init() {}

        fileprivate func uses(_ kind: SourceKind) -> Bool {
            switch kind {
            case .repository: usesRepository
            case .common: usesCommonStores
            case .context, .history, .cursor, .preference: true
            }
        }
    }

    /// A drafter over `segments` of the repository and of datastores.
    ///
    /// - Parameters:
    ///   - segments: What to search; `kind` is `repository` or `common`.
    ///   - options: Which parts are active.
    ///   - profile: Records where the time is spent.
    ///   - observer: Receives, for each node whose next token became known, the outcomes of its predictions. Not called
    ///     if `options.calibrates` is false.
    package init(
        _ segments: [(segment: StoreSegment, kind: SourceKind)] = [], options: Options = Options(),
        profile: DraftProfile? = nil, observer: (([PredictionOutcome]) -> Void)? = nil
    ) {
        self.options = options
        self.profile = profile
        self.observer = observer
        context = options.usesContext ? ContextSource() : nil
        history = options.usesHistory ? HistorySource() : nil
        cursor = options.usesCursor ? CursorSource() : nil
        preferences = options.usesPreferences ? PreferenceSource() : nil
        replaceStores(segments)
    }

    /// Replaces the segments at the start of a generation. Keeps everything that was learned.
    package func replaceStores(_ segments: [(segment: StoreSegment, kind: SourceKind)]) {
        // A store that stays keeps its cache of look-ups.
        let known = stores
        stores = SourceKind.allCases.filter(options.uses).flatMap { kind in
            Self.grouped(segments.filter { $0.kind == kind }.map(\.segment), kind).map { wanted in
                known.first { $0.kind == kind && $0.segments == wanted } ?? StoreSource(wanted, kind: kind)
            }
        }
        gatherSources()
        for store in stores { store.reset(to: text, kept: 0) }
    }

    /// Groups the segments of one kind into sources. Usually all form one source. In a repository the largest segment
    /// is a source of its own: the others hold recent changes, which are close to the text being written and must not
    /// be outweighed.
    private static func grouped(_ segments: [StoreSegment], _ kind: SourceKind) -> [[StoreSegment]] {
        guard kind == .repository,
            let largest = segments.indices.max(by: { segments[$0].index.tokenCount < segments[$1].index.tokenCount })
        else { return segments.isEmpty ? [] : [segments] }
        var others = segments
        let base = others.remove(at: largest)
        return others.isEmpty ? [[base]] : [[base], others]
    }

    /// What was learned so far, without the current output.
    package var memory: DraftMemory {
        var memory = DraftMemory()
        memory.history = history?.tokens ?? []
        memory.preferences = preferences?.records ?? []
        memory.tallies = options.calibrates ? acceptance.table.tallies : []
        memory.weights = options.calibrates ? acceptance.mixer.weights : []
        return memory
    }

    /// Adds the current output to the history. Call it at the end of the output.
    package func endOutput() {
        history?.insert(text[min(outputStart, text.count)...])
        outputStart = text.count
    }

    /// Adds the contents of `cache`, once they have been read.
    package func adopt(_ cache: DraftCache) {
        guard let contents = cache.takeContents() else { return }
        if options.calibrates {
            acceptance.table.add(contents.memory.tallies)
            acceptance.mixer.adopt(contents.memory.weights)
        }
        preferences?.insert(records: contents.memory.preferences)
        guard let history else { return }
        history.prepend(contents.memory.history, contents.automaton)
        history.reset(to: text, kept: 0)
    }

    private func gatherSources() {
        sources = stores
        let others: [(any DraftSource)?] = [context, history, cursor, preferences]
        sources += others.compactMap { $0 }
        if let profile { sources = sources.map { ProfiledSource($0, profile) } }
    }

    /// Adds the last output to the history, and starts a new text in all sources.
    public func reset(to tokens: [Int32]) {
        endOutput()
        let kept = zip(text, tokens).prefix { $0 == $1 }.count
        // A source cannot remove tokens from its index, so a text that only became shorter counts as new.
        for source in sources { source.reset(to: tokens, kept: kept == text.count ? kept : 0) }
        text = tokens
        outputStart = tokens.count
        growth.clear()
    }

    /// Grows a draft tree from all sources.
    public func draft(into tree: inout DraftTree, limit: Int) {
        timed(.draft) {
            growth.grow(&tree, sources, acceptance, calibrates: options.calibrates, limit: limit, floor: floor)
        }
    }

    /// Learns from the outcome of a draft, and adds the new tokens to all sources.
    public func observe(_ outcome: DraftOutcome) {
        if options.calibrates { timed(.learn) { growth.learn(outcome, &acceptance, observer: observer) } }
        adaptFloor(outcome)
        timed(.preferences) { learnPreferences(outcome) }
        timed(.follow) {
            for token in outcome.tokens {
                for source in sources { source.append(token) }
                text.append(token)
            }
        }
    }

    private func timed(_ stage: DraftProfile.Stage, _ work: () -> Void) {
        guard let profile else { return work() }
        let start = ContinuousClock.now
        work()
        profile.add(stage, since: start)
    }

    /// Moves the floor towards half the lowest value that the engine checked.
    private func adaptFloor(_ outcome: DraftOutcome) {
        guard let least = outcome.checked.map({ outcome.tree.values[$0] }).min() else { return }
        floor += (min(max(least / 2, 0.002), 0.05) - floor) / 8
    }

    private func learnPreferences(_ outcome: DraftOutcome) {
        guard let preferences else { return }
        let tree = outcome.tree
        /// The token of a node, or the token `distance` before the end of the text.
        func token(_ node: Int, _ distance: Int = 0) -> TokenID {
            if node >= 0 { return tree.tokens[node] }
            return distance < text.count ? text[text.count - 1 - distance] : -1
        }
        preferences.insert(outcome.topTokens(after: DraftTree.root), after: token(-1), token(-1, 1))
        for node in outcome.checked {
            preferences.insert(outcome.topTokens(after: node), after: token(node), token(Int(tree.parents[node])))
        }
    }
}
