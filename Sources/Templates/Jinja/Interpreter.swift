// Executes the statements of a template.

import InferSupport

/// One rendering of a template. Not to be used by two threads.
///
/// Lists, mappings and namespaces can refer to each other in cycles and in long chains. The interpreter keeps a reference to each
/// of them and empties them one by one at its end, so that neither leaks nor deep recursions of deinitialisers occur.
final class Interpreter {
    /// How the statements of a body ended.
    enum Flow {
        case normal, breakLoop, continueLoop
    }

    let limits: TemplateLimits
    let now: TemplateDate
    /// The line of the source that is executed, for messages.
    var line = 1
    private var stepsLeft: Int
    private var depth = 0
    private var outputs: [TextBuilder] = []
    private(set) var scope: Scope

    // What is emptied at the end.
    private var lists: [ListValue] = []
    private var mappings: [MappingValue] = []
    private var scopes: [Scope] = []
    private var cyclers: [CyclerValue] = []
    private var loops: [LoopValue] = []

    init(limits: TemplateLimits, now: TemplateDate) {
        self.limits = limits
        self.now = now
        stepsLeft = limits.steps
        scope = Scope(parent: nil)
    }

    deinit {
        for list in lists { list.items = [] }
        for mapping in mappings { mapping.removeAll() }
        for scope in scopes { scope.variables = [:] }
        for cycler in cyclers { cycler.items = [] }
        for loop in loops { loop.clear() }
    }

    /// The text of `statements`.
    ///
    /// - Parameters:
    ///   - variables: Values whose strings are input.
    ///   - marks: Variables whose text belongs to the template, such as the spelling of special tokens.
    func render(
        _ statements: [Statement], variables: JSONObject, marks: [String: String]
    ) throws(Fault) -> TemplateText {
        for name in ["range", "namespace", "dict", "cycler", "joiner", "raise_exception", "strftime_now"] {
            scope.variables[name] = .function(FunctionValue(.global(name)))
        }
        for member in variables.members {
            scope.variables[member.key] =
                member.key == "messages" ? try messages(member.value) : try value(of: member.value)
        }
        for (name, text) in marks { scope.variables[name] = .string(text) }
        outputs.append(makeBuilder())
        _ = try execute(statements)
        return try finish(outputs.removeLast())
    }

    // MARK: Limits

    /// Counts `steps` and stops the rendering if there were too many.
    func spend(_ steps: Int) throws(Fault) {
        stepsLeft -= max(steps, 0)
        if stepsLeft < 0 { throw Fault("the template takes more than \(limits.steps) steps", kind: .limit) }
    }

    /// Stops at values that are nested too deeply to be printed or compared.
    func checkDepth(_ depth: Int) throws(Fault) {
        if depth > 2 * JSONValue.maximumDepth {
            throw Fault("a value of more than \(2 * JSONValue.maximumDepth) levels", kind: .limit)
        }
    }

    /// Runs `body` one level deeper.
    func nested<Result>(_ body: () throws(Fault) -> Result) throws(Fault) -> Result {
        guard depth < limits.depth else {
            throw Fault("more than \(limits.depth) levels of calls and expressions", kind: .limit)
        }
        depth += 1
        defer { depth -= 1 }
        return try body()
    }

    func makeBuilder() -> TextBuilder { TextBuilder(limit: limits.textLength) }

    /// The text of a builder, if it was not too long.
    func finish(_ builder: TextBuilder) throws(Fault) -> TemplateText {
        if builder.isFull { throw Fault("a text of more than \(limits.textLength) bytes", kind: .limit) }
        try spend(builder.bytes.count / 64)
        return builder.text
    }

    // MARK: Values

    private func checkContainers() throws(Fault) {
        if lists.count + mappings.count + scopes.count + cyclers.count + loops.count > limits.containers {
            throw Fault("the template makes more than \(limits.containers) lists and mappings", kind: .limit)
        }
    }

    func list(_ items: [Value], _ kind: ListValue.Kind = .list) throws(Fault) -> Value {
        try spend(4 * items.count)
        try checkContainers()
        let list = ListValue(items, kind)
        lists.append(list)
        return .list(list)
    }

    func makeMapping() throws(Fault) -> MappingValue {
        try checkContainers()
        let mapping = MappingValue()
        mappings.append(mapping)
        return mapping
    }

    func makeNamespace() throws(Fault) -> NamespaceValue {
        try checkContainers()
        let namespace = NamespaceValue()
        mappings.append(namespace.members)
        return namespace
    }

    func makeCycler(_ items: [Value]) throws(Fault) -> CyclerValue {
        try checkContainers()
        let cycler = CyclerValue(items)
        cyclers.append(cycler)
        return cycler
    }

    /// The value of JSON. Strings are input unless `isMark`.
    func value(of json: JSONValue, isMark: Bool = false) throws(Fault) -> Value {
        try spend(1)
        switch json {
        case .null: return .none
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .number(let value): return .float(value)
        case .string(let text): return .text(TemplateText(text, isInput: !isMark))
        case .array(let elements):
            var items: [Value] = []
            for element in elements { items.append(try value(of: element)) }
            return try list(items)
        case .object(let object):
            let mapping = try makeMapping()
            for member in object.members {
                let key = TemplateText(member.key, isInput: !isMark)
                mapping.set(.text(key), .text(key.bytes), try value(of: member.value))
            }
            return .mapping(mapping)
        }
    }

    /// The names of speakers that templates compare with and write between marks. As they are fixed, they belong to the template.
    private static let roles: Set = [
        "system", "developer", "user", "assistant", "tool", "function", "model", "ipython", "environment",
        "observation",
    ]

    private func messages(_ json: JSONValue) throws(Fault) -> Value {
        let messages = try value(of: json)
        guard case .list(let list) = messages, let elements = json.array else { return messages }
        for (item, element) in zip(list.items, elements) {
            guard case .mapping(let mapping) = item, let role = element["role"]?.string, Self.roles.contains(role)
            else {
                continue
            }
            mapping.set(.string("role"), .text(Array("role".utf8)), .string(role))
        }
        return messages
    }

    // MARK: Statements

    /// Executes statements in the current scope.
    func execute(_ statements: [Statement]) throws(Fault) -> Flow {
        try nested { () throws(Fault) in
            for statement in statements {
                try spend(1)
                line = statement.line
                let flow = try execute(statement)
                if flow != .normal { return flow }
            }
            return .normal
        }
    }

    private func execute(_ statement: Statement) throws(Fault) -> Flow {
        switch statement.kind {
        case .text(let text): try write(text)
        case .output(let expression): try write(try text(of: try evaluate(expression)))
        case .condition(let branches, let otherwise):
            for branch in branches where try evaluate(branch.condition).isTrue { return try execute(branch.body) }
            return try execute(otherwise)
        case .loop(let loop):
            let sequence = try evaluate(loop.sequence)
            try run(loop, over: sequence, depth0: 0)
        case .assignment(let target, let expression): try assign(try evaluate(expression), to: target)
        case .blockAssignment(let target, let filter, let body):
            var value = Value.text(try captured { () throws(Fault) in try executeInNewScope(body) })
            if let filter { value = try evaluate(filter, blockText: value) }
            try assign(value, to: target)
        case .macro(let macro):
            scopes.append(scope)
            try checkContainers()
            scope.variables[macro.name] = .function(FunctionValue(.macro(macro, scope)))
        case .call(let call, let caller):
            scopes.append(scope)
            try checkContainers()
            let function = Value.function(FunctionValue(.macro(caller, scope)))
            try write(try text(of: try evaluateCall(call, caller: function)))
        case .filter(let filter, let body):
            let block = try captured { () throws(Fault) in try executeInNewScope(body) }
            try write(try text(of: try evaluate(filter, blockText: .text(block))))
        case .with(let assignments, let body):
            var values: [Value] = []
            for assignment in assignments { values.append(try evaluate(assignment.value)) }
            return try inScope(Scope(parent: scope)) { () throws(Fault) in
                for (assignment, value) in zip(assignments, values) { try assign(value, to: assignment.target) }
                return try execute(body)
            }
        case .scope(let body): return try inScope(Scope(parent: scope)) { () throws(Fault) in try execute(body) }
        case .evaluation(let expression): _ = try evaluate(expression)
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .normal
    }

    private func executeInNewScope(_ body: [Statement]) throws(Fault) {
        _ = try inScope(Scope(parent: scope)) { () throws(Fault) in try execute(body) }
    }

    func inScope<Result>(_ inner: Scope, _ body: () throws(Fault) -> Result) throws(Fault) -> Result {
        let outer = scope
        scope = inner
        defer { scope = outer }
        return try body()
    }

    private func write(_ text: TemplateText) throws(Fault) {
        try spend(text.bytes.count / 64)
        outputs[outputs.count - 1].append(text)
        if outputs[outputs.count - 1].isFull { _ = try finish(outputs[outputs.count - 1]) }
    }

    /// The text that `body` writes.
    private func captured(_ body: () throws(Fault) -> Void) throws(Fault) -> TemplateText {
        outputs.append(makeBuilder())
        // An error ends the whole rendering, so the builder need not be removed then.
        try body()
        return try finish(outputs.removeLast())
    }

    // MARK: Assignments

    private func assign(_ value: Value, to target: Target) throws(Fault) {
        switch target {
        case .name(let name): scope.variables[name] = value
        case .attribute(let name, let attribute):
            guard case .namespace(let namespace)? = scope.value(of: name) else {
                throw Fault("cannot assign attribute on non-namespace object")
            }
            namespace.members.set(.string(attribute), .text(Array(attribute.utf8)), value)
        case .tuple(let targets):
            let items = try items(of: value)
            guard items.count == targets.count else {
                throw Fault(
                    items.count < targets.count
                        ? "not enough values to unpack (expected \(targets.count), got \(items.count))"
                        : "too many values to unpack (expected \(targets.count))")
            }
            for (target, item) in zip(targets, items) { try assign(item, to: target) }
        }
    }

    // MARK: Loops

    private func run(_ loop: Statement.Loop, over sequence: Value, depth0: Int) throws(Fault) {
        var items = try items(of: sequence)
        if let condition = loop.condition {
            var kept: [Value] = []
            for item in items {
                try spend(1)
                let isKept = try inScope(Scope(parent: scope)) { () throws(Fault) in
                    try assign(item, to: loop.target)
                    return try evaluate(condition).isTrue
                }
                if isKept { kept.append(item) }
            }
            items = kept
        }
        if items.isEmpty {
            try executeInNewScope(loop.otherwise)
            return
        }
        let state = LoopValue(items: items, depth0: depth0, recursion: loop.isRecursive ? (loop, scope) : nil)
        loops.append(state)
        try checkContainers()
        // The loop keeps its items, also if the list changes.
        try spend(items.count)
        defer { state.clear() }
        for (index, item) in items.enumerated() {
            try spend(1)
            state.index0 = index
            let inner = Scope(parent: scope)
            let flow = try inScope(inner) { () throws(Fault) in
                inner.variables["loop"] = .loop(state)
                try assign(item, to: loop.target)
                return try execute(loop.body)
            }
            if flow == .breakLoop { return }
        }
    }

    /// The text of a recursive loop over `sequence`, for a call of `loop`.
    func recurse(_ state: LoopValue, over sequence: Value) throws(Fault) -> Value {
        guard let (loop, outer) = state.recursion else {
            throw Fault("the loop must have the 'recursive' marker to be called recursively")
        }
        return .text(
            try captured { () throws(Fault) in
                try nested { () throws(Fault) in
                    try inScope(outer) { () throws(Fault) in
                        try run(loop, over: sequence, depth0: state.depth0 + 1)
                    }
                }
            })
    }

    // MARK: Macros

    /// The text of a macro that is called with `positional` and `keywords`.
    func call(_ macro: Macro, in definition: Scope, _ arguments: CallArguments) throws(Fault) -> Value {
        var keywords = arguments.keywords
        let inner = Scope(parent: definition)
        var isMissing: [String] = []
        for (index, parameter) in macro.parameters.enumerated() {
            if index < arguments.positional.count {
                inner.variables[parameter.name] = arguments.positional[index]
            } else if let place = keywords.firstIndex(where: { $0.name == parameter.name }) {
                inner.variables[parameter.name] = keywords.remove(at: place).value
            } else {
                isMissing.append(parameter.name)
            }
        }
        if macro.takesCaller, !macro.parameters.contains(where: { $0.name == "caller" }) {
            let place = keywords.firstIndex { $0.name == "caller" }
            inner.variables["caller"] = place.map { keywords.remove(at: $0).value } ?? .undefined("No caller defined")
        }
        if macro.takesKeywordRest {
            let mapping = try makeMapping()
            for keyword in keywords {
                mapping.set(.string(keyword.name), .text(Array(keyword.name.utf8)), keyword.value)
            }
            inner.variables["kwargs"] = .mapping(mapping)
        } else if let keyword = keywords.first {
            throw Fault("macro '\(macro.name)' takes no keyword argument '\(keyword.name)'")
        }
        let rest = arguments.positional.dropFirst(macro.parameters.count)
        if macro.takesPositionalRest {
            inner.variables["varargs"] = try list(Array(rest), .tuple)
        } else if !rest.isEmpty {
            throw Fault("macro '\(macro.name)' takes not more than \(macro.parameters.count) argument(s)")
        }
        return try nested { () throws(Fault) in
            try inScope(inner) { () throws(Fault) in
                for parameter in macro.parameters where isMissing.contains(parameter.name) {
                    inner.variables[parameter.name] =
                        try parameter.standard.map { (standard) throws(Fault) in try evaluate(standard) }
                        ?? .undefined("parameter '\(parameter.name)' was not provided")
                }
                return .text(try captured { () throws(Fault) in _ = try execute(macro.body) })
            }
        }
    }
}

/// The evaluated arguments of a call.
struct CallArguments {
    var positional: [Value] = []
    var keywords: [(name: String, value: Value)] = []
}
