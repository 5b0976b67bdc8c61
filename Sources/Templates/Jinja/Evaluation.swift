// Evaluates the expressions of a template.

import InferSupport

extension Interpreter {
    /// The value of an expression.
    ///
    /// - Parameter blockText: What a filter without an operand applies to.
    func evaluate(_ expression: Expression, blockText: Value? = nil) throws(Fault) -> Value {
        try spend(1)
        return try nested { () throws(Fault) in try compute(expression, blockText) }
    }

    private func compute(_ expression: Expression, _ blockText: Value?) throws(Fault) -> Value {
        switch expression.kind {
        case .none: return .none
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .float(let value): return .float(value)
        case .string(let text): return .text(text)
        case .name(let name): return try variable(name)
        case .list(let elements): return try list(try evaluate(elements))
        case .tuple(let elements): return try list(try evaluate(elements), .tuple)
        case .dictionary(let members): return try mapping(members)
        case .attribute(let operand, let name):
            let value = try evaluate(operand)
            line = expression.line
            return try attribute(name, of: value)
        case .item(let operand, let key):
            let value = try evaluate(operand)
            let key = try evaluate(key)
            line = expression.line
            return try item(key, of: value)
        case .slice(let operand, let start, let stop, let step):
            return try slice(try evaluate(operand), try bound(start), try bound(stop), try bound(step))
        case .call: return try evaluateCall(expression, caller: nil)
        case .filter(let operand, let name, let arguments):
            var value = blockText ?? .undefined("")
            if let operand { value = try evaluate(operand, blockText: blockText) }
            let arguments = try evaluate(arguments)
            line = expression.line
            return try apply(filter: name, to: value, arguments)
        case .test(let operand, let name, let arguments, let isNegated):
            let value = try evaluate(operand)
            let arguments = try evaluate(arguments)
            line = expression.line
            return .bool(try apply(test: name, to: value, arguments.positional) != isNegated)
        case .not(let operand): return .bool(try !evaluate(operand).isTrue)
        case .negative(let operand): return try negative(try evaluate(operand), sign: "-")
        case .positive(let operand): return try negative(try negative(try evaluate(operand), sign: "+"), sign: "+")
        case .and(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? try evaluate(right) : value
        case .or(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? value : try evaluate(right)
        case .conditional(let condition, let then, let otherwise):
            if try evaluate(condition).isTrue { return try evaluate(then) }
            if let otherwise { return try evaluate(otherwise) }
            return .undefined("the condition of an inline if is false and there is no else")
        case .comparison(let first, let operands): return try comparison(first, operands)
        case .concatenation(let parts):
            var builder = makeBuilder()
            for part in parts { builder.append(try text(of: try evaluate(part))) }
            return .text(try finish(builder))
        case .arithmetic(let operation, let left, let right):
            let left = try evaluate(left)
            let right = try evaluate(right)
            line = expression.line
            return try arithmetic(operation, left, right)
        }
    }

    private func variable(_ name: String) throws(Fault) -> Value {
        var place: Scope? = scope
        while let scope = place {
            if let value = scope.variables[name] { return value }
            place = scope.parent
            try spend(1)
        }
        return .undefined("'\(name)' is undefined")
    }

    private func evaluate(_ expressions: [Expression]) throws(Fault) -> [Value] {
        var values: [Value] = []
        for expression in expressions { values.append(try evaluate(expression)) }
        return values
    }

    private func mapping(_ members: [(key: Expression, value: Expression)]) throws(Fault) -> Value {
        let mapping = try makeMapping()
        for member in members {
            let key = try evaluate(member.key)
            mapping.set(key, try self.key(key), try evaluate(member.value))
        }
        return .mapping(mapping)
    }

    private func comparison(
        _ first: Expression, _ operands: [(operation: Expression.Comparison, operand: Expression)]
    ) throws(Fault) -> Value {
        var left = try evaluate(first)
        for (operation, operand) in operands {
            let right = try evaluate(operand)
            if try !compare(operation, left, right) { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    // MARK: Calls

    func evaluate(_ arguments: Arguments) throws(Fault) -> CallArguments {
        var result = CallArguments(positional: try evaluate(arguments.positional))
        for (name, expression) in arguments.keywords { result.keywords.append((name, try evaluate(expression))) }
        if let rest = arguments.rest {
            let items = try items(of: try evaluate(rest))
            try spend(4 * items.count)
            result.positional += items
        }
        if let rest = arguments.keywordRest {
            guard case .mapping(let mapping) = try evaluate(rest) else { throw Fault("** needs a mapping") }
            try spend(4 * mapping.count)
            for (key, value) in zip(mapping.keys, mapping.values) {
                guard case .text(let name) = key else { throw Fault("keywords must be strings") }
                result.keywords.append((name.string, value))
            }
        }
        return result
    }

    /// The result of a call. The block of a `call` statement is passed as `caller`.
    func evaluateCall(_ expression: Expression, caller: Value?) throws(Fault) -> Value {
        guard case .call(let callee, let arguments) = expression.kind else { return try evaluate(expression) }
        let function = try evaluate(callee)
        var values = try evaluate(arguments)
        if let caller { values.keywords.append(("caller", caller)) }
        line = expression.line
        switch function {
        case .function(let function): return try call(function, values)
        case .loop(let loop):
            guard let sequence = values.positional.first else { throw Fault("loop() needs something to loop over") }
            return try recurse(loop, over: sequence)
        case .undefined(let name): throw Fault(name)
        default: throw Fault("'\(function.typeName)' object is not callable")
        }
    }

    private func call(_ function: FunctionValue, _ arguments: CallArguments) throws(Fault) -> Value {
        switch function.kind {
        case .macro(let macro, let definition): return try call(macro, in: definition, arguments)
        case .method(let receiver, let name): return try call(method: name, of: receiver, arguments)
        case .global(let name): return try call(global: name, arguments)
        case .cycler(let cycler, let name):
            if name == "reset" {
                cycler.index = 0
                return .none
            }
            let item = cycler.items[cycler.index]
            cycler.index = (cycler.index + 1) % cycler.items.count
            return item
        case .joiner(let joiner):
            joiner.index += 1
            return joiner.index > 1 ? joiner.items[0] : .string("")
        }
    }

    private func call(global name: String, _ arguments: CallArguments) throws(Fault) -> Value {
        switch name {
        case "range": return try range(arguments.positional)
        case "raise_exception":
            let message = try arguments.positional.first.map { (value) throws(Fault) in try text(of: value).string }
            throw Fault(message ?? "", kind: .raised)
        case "strftime_now":
            guard case .text(let format)? = arguments.positional.first else {
                throw Fault("strftime_now needs a format")
            }
            var builder = makeBuilder()
            builder.append(now.formatted(format.string), isInput: format.hasInput)
            return .text(try finish(builder))
        case "namespace":
            let namespace = try makeNamespace()
            try fill(namespace.members, arguments)
            return .namespace(namespace)
        case "dict":
            let mapping = try makeMapping()
            try fill(mapping, arguments)
            return .mapping(mapping)
        case "cycler":
            guard !arguments.positional.isEmpty else { throw Fault("cycler needs at least one item") }
            return .function(FunctionValue(.cycler(try makeCycler(arguments.positional), "")))
        case "joiner":
            let separator = arguments.positional.first ?? .string(", ")
            return .function(FunctionValue(.joiner(try makeCycler([separator]))))
        default: throw Fault("'\(name)' is not a function")
        }
    }

    /// Adds the members that the arguments of `dict` or `namespace` give.
    private func fill(_ mapping: MappingValue, _ arguments: CallArguments) throws(Fault) {
        if let source = arguments.positional.first { try update(mapping, from: source) }
        for (name, value) in arguments.keywords { mapping.set(.string(name), .text(Array(name.utf8)), value) }
    }

    /// Adds the members of a mapping, or of a sequence of pairs.
    func update(_ mapping: MappingValue, from source: Value) throws(Fault) {
        switch source {
        case .mapping(let other):
            try spend(other.count)
            for (key, value) in zip(other.keys, other.values) { mapping.set(key, try self.key(key), value) }
        case .namespace(let other): try update(mapping, from: .mapping(other.members))
        default:
            for pair in try items(of: source) {
                let parts = try items(of: pair)
                guard parts.count == 2 else {
                    throw Fault("dictionary update sequence element has length \(parts.count); 2 is required")
                }
                mapping.set(parts[0], try key(parts[0]), parts[1])
            }
        }
    }

    private func range(_ arguments: [Value]) throws(Fault) -> Value {
        var numbers: [Int] = []
        for argument in arguments {
            guard let number = argument.index else {
                throw Fault("'\(argument.typeName)' object cannot be interpreted as an integer")
            }
            numbers.append(number)
        }
        let (start, end, step): (Int, Int, Int)
        switch numbers.count {
        case 1: (start, end, step) = (0, numbers[0], 1)
        case 2: (start, end, step) = (numbers[0], numbers[1], 1)
        case 3: (start, end, step) = (numbers[0], numbers[1], numbers[2])
        default: throw Fault("range expected 1 to 3 arguments, got \(numbers.count)")
        }
        guard step != 0 else { throw Fault("range() arg 3 must not be zero") }
        var items: [Value] = []
        var number = start
        while step > 0 ? number < end : number > end {
            // As Jinja2's sandbox.
            guard items.count < 100_000 else { throw Fault("a range of more than 100000 numbers", kind: .limit) }
            items.append(.integer(number))
            let (next, overflows) = number.addingReportingOverflow(step)
            if overflows { break }
            number = next
        }
        return try list(items, .range)
    }

    // MARK: Parts of values

    /// The elements of a value that can be iterated over.
    func items(of value: Value) throws(Fault) -> [Value] {
        switch value {
        case .list(let list):
            let items = list.items
            if list.kind == .iterator { list.items = [] }
            return items
        case .mapping(let mapping): return mapping.keys
        case .undefined: return []
        case .loop(let loop): return loop.items
        case .text(let text):
            try spend(4 * text.count)
            var items: [Value] = []
            for (_, range) in text.scalars { items.append(.text(text[range])) }
            return items
        default: throw Fault("'\(value.typeName)' object is not iterable")
        }
    }

    /// The number of elements of a value.
    func length(of value: Value) throws(Fault) -> Int {
        switch value {
        case .text(let text):
            try spend(text.bytes.count / 64)
            return text.count
        case .list(let list) where list.kind != .iterator: return list.items.count
        case .mapping(let mapping): return mapping.count
        case .loop(let loop): return loop.count
        case .undefined: return 0
        default: throw Fault("object of type '\(value.typeName)' has no len()")
        }
    }

    /// `value.name`: a method or attribute, else the member with that key.
    func attribute(_ name: String, of value: Value) throws(Fault) -> Value {
        switch value {
        case .undefined(let hint): throw Fault(hint)
        case .namespace(let namespace):
            return namespace.members[name] ?? .undefined("'Namespace' object has no attribute '\(name)'")
        case .loop(let loop):
            if let found = attribute(name, of: loop) { return found }
        case .function(let function):
            if let found = attribute(name, of: function) { return found }
        default:
            if Self.methods(of: value).contains(name) { return .function(FunctionValue(.method(value, name))) }
            if case .mapping(let mapping) = value, let member = mapping[name] { return member }
        }
        return .undefined("'\(value.objectName)' has no attribute '\(name)'")
    }

    private func attribute(_ name: String, of loop: LoopValue) -> Value? {
        let count = loop.count
        switch name {
        case "index": return .integer(loop.index0 + 1)
        case "index0": return .integer(loop.index0)
        case "revindex": return .integer(count - loop.index0)
        case "revindex0": return .integer(count - loop.index0 - 1)
        case "first": return .bool(loop.index0 == 0)
        case "last": return .bool(loop.index0 == count - 1)
        case "length": return .integer(count)
        case "depth": return .integer(loop.depth0 + 1)
        case "depth0": return .integer(loop.depth0)
        case "previtem":
            return loop.index0 > 0 && loop.index0 <= loop.items.count
                ? loop.items[loop.index0 - 1] : .undefined("there is no previous item")
        case "nextitem":
            return loop.index0 + 1 < loop.items.count
                ? loop.items[loop.index0 + 1] : .undefined("there is no next item")
        case "cycle", "changed": return .function(FunctionValue(.method(.loop(loop), name)))
        default: return nil
        }
    }

    private func attribute(_ name: String, of function: FunctionValue) -> Value? {
        switch (function.kind, name) {
        case (.macro(let macro, _), "name"): .string(macro.name)
        case (.cycler(let cycler, _), "next"), (.cycler(let cycler, _), "reset"):
            .function(FunctionValue(.cycler(cycler, name)))
        case (.cycler(let cycler, _), "current"): cycler.items[cycler.index]
        default: nil
        }
    }

    /// `value[key]`: the member with that key, else the attribute of that name.
    func item(_ key: Value, of value: Value) throws(Fault) -> Value {
        switch value {
        case .undefined(let hint): throw Fault(hint)
        case .mapping(let mapping):
            if case .text(let text) = key { try spend(text.bytes.count / 64) }
            if let hashed = MappingValue.Key(key), let member = mapping[hashed] { return member }
        case .list(let list) where list.kind.isIndexed:
            if let index = key.index {
                let place = index < 0 ? index + list.items.count : index
                if list.items.indices.contains(place) { return list.items[place] }
            }
        case .text(let text):
            if let index = key.index {
                try spend(text.bytes.count / 64)
                let count = text.count
                let place = index < 0 ? index + count : index
                if place >= 0, place < count {
                    let start = text.offset(of: place)
                    return .text(text[start..<start + TemplateText.scalarLength(text.bytes[start])])
                }
            }
        default: break
        }
        if case .text(let name) = key {
            // The member of a mapping was looked for already, but a method can have that name.
            return try attribute(name.string, of: value)
        }
        var builder = makeBuilder()
        try describe(key, in: &builder)
        return .undefined("\(value.objectName) has no element \(try finish(builder).string.printable)")
    }

    private func bound(_ expression: Expression?) throws(Fault) -> Int? {
        guard let expression else { return nil }
        let value = try evaluate(expression)
        if case .none = value { return nil }
        guard let index = value.index else {
            throw Fault("slice indices must be integers or None, not \(value.typeName)")
        }
        return index
    }

    private func slice(_ value: Value, _ start: Int?, _ stop: Int?, _ step: Int?) throws(Fault) -> Value {
        switch value {
        case .undefined(let hint): throw Fault(hint)
        case .text(let text):
            try spend(text.bytes.count / 32)
            let indexes = try Self.indexes(count: text.count, start, stop, step ?? 1)
            if step ?? 1 == 1 {
                guard let first = indexes.first, let last = indexes.last else { return .text(text[0..<0]) }
                return .text(text[text.offset(of: first)..<text.offset(of: last + 1)])
            }
            try spend(text.bytes.count)
            let offsets = text.offsets
            var builder = makeBuilder()
            for index in indexes { builder.append(text, offsets[index]..<offsets[index + 1]) }
            return .text(try finish(builder))
        case .list(let list) where list.kind.isIndexed:
            let indexes = try Self.indexes(count: list.items.count, start, stop, step ?? 1)
            return try self.list(indexes.map { list.items[$0] }, list.kind == .range ? .list : list.kind)
        default: return .undefined("\(value.objectName) has no slices")
        }
    }

    /// The indexes that a slice of Python takes of `count` elements.
    private static func indexes(count: Int, _ start: Int?, _ stop: Int?, _ step: Int) throws(Fault) -> [Int] {
        guard step != 0 else { throw Fault("slice step cannot be zero") }
        let lowest = step > 0 ? 0 : -1
        let highest = step > 0 ? count : count - 1
        func clamped(_ index: Int?, _ standard: Int) -> Int {
            guard let index else { return standard }
            // The sum cannot overflow, since the index is negative.
            return min(max(index < 0 ? index + count : index, lowest), highest)
        }
        let first = clamped(start, step > 0 ? lowest : highest)
        let end = clamped(stop, step > 0 ? highest : lowest)
        if step == 1 { return first < end ? Array(first..<end) : [] }
        return Array(stride(from: first, to: end, by: max(-count - 1, min(step, count + 1))))
    }

    // MARK: Arithmetic

    private func negative(_ value: Value, sign: String) throws(Fault) -> Value {
        if case .undefined(let hint) = value { throw Fault(hint) }
        switch value.number {
        case .integer(let number):
            let (result, overflows) = (0 as Int).subtractingReportingOverflow(number)
            guard !overflows else { throw overflow }
            return .integer(result)
        case .float(let number): return .float(-number)
        case nil: throw Fault("bad operand type for unary \(sign): '\(value.typeName)'")
        }
    }

    private var overflow: Fault { Fault("a number beyond 64 bits", kind: .limit) }

    func arithmetic(_ operation: Expression.Arithmetic, _ left: Value, _ right: Value) throws(Fault) -> Value {
        if case .undefined(let hint) = left { throw Fault(hint) }
        if case .text(let format) = left, operation == .remainder { return .text(try formatted(format, right)) }
        if case .undefined(let hint) = right { throw Fault(hint) }
        if let left = left.number, let right = right.number { return try arithmetic(operation, left, right) }
        switch (operation, left, right) {
        case (.add, .text(let one), .text(let other)): return .text(try joined(one, other))
        case (.add, .list(let one), .list(let other)) where one.kind == other.kind && one.kind.isIndexed:
            return try list(one.items + other.items, one.kind)
        case (.multiply, .text(let text), let other), (.multiply, let other, .text(let text)):
            guard let count = other.index else { break }
            return .text(try repeated(text, count))
        case (.multiply, .list(let items), let other), (.multiply, let other, .list(let items)):
            guard let count = other.index, items.kind == .list || items.kind == .tuple else { break }
            let total = max(count, 0).multipliedReportingOverflow(by: items.items.count)
            guard !total.overflow else { throw overflow }
            guard total.partialValue <= limits.steps else { throw overflow }
            try spend(4 * total.partialValue)
            return try list(Array(repeatElement(items.items, count: max(count, 0)).joined()), items.kind)
        default: break
        }
        if operation == .add, case .text = left {
            throw Fault("can only concatenate str (not \"\(right.typeName)\") to str")
        }
        throw Fault(
            "unsupported operand type(s) for \(operation.rawValue): '\(left.typeName)' and '\(right.typeName)'")
    }

    /// The texts joined. Safe HTML escapes what it is joined with.
    private func joined(_ one: TemplateText, _ other: TemplateText) throws(Fault) -> TemplateText {
        var builder = makeBuilder()
        let isMarkup = one.isMarkup || other.isMarkup
        builder.append(isMarkup ? try escaped(one) : one)
        builder.append(isMarkup ? try escaped(other) : other)
        var result = try finish(builder)
        result.isMarkup = isMarkup
        return result
    }

    private func repeated(_ text: TemplateText, _ count: Int) throws(Fault) -> TemplateText {
        let total = max(count, 0).multipliedReportingOverflow(by: text.bytes.count)
        var builder = makeBuilder()
        guard !total.overflow, total.partialValue <= limits.textLength else {
            throw Fault("a text of more than \(limits.textLength) bytes", kind: .limit)
        }
        try spend(max(count, 0) / 16)
        if total.partialValue > 0 { for _ in 0..<count { builder.append(text) } }
        var result = try finish(builder)
        result.isMarkup = text.isMarkup
        return result
    }

    private func arithmetic(
        _ operation: Expression.Arithmetic, _ left: Value.Number, _ right: Value.Number
    ) throws(Fault) -> Value {
        if case .integer(let one) = left, case .integer(let other) = right, operation != .divide {
            return try arithmetic(operation, one, other)
        }
        let (one, other) = (left.double, right.double)
        switch operation {
        case .add: return .float(one + other)
        case .subtract: return .float(one - other)
        case .multiply: return .float(one * other)
        case .power: return .float(power(one, other))
        case .divide, .floorDivide, .remainder:
            guard other != 0 else { throw Fault("division by zero") }
            if operation == .divide { return .float(one / other) }
            var remainder = one.truncatingRemainder(dividingBy: other)
            if remainder != 0, (remainder < 0) != (other < 0) { remainder += other }
            return .float(operation == .remainder ? remainder : ((one - remainder) / other).rounded())
        }
    }

    private func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

    private func arithmetic(_ operation: Expression.Arithmetic, _ one: Int, _ other: Int) throws(Fault) -> Value {
        let result: (partialValue: Int, overflow: Bool)
        switch operation {
        case .add: result = one.addingReportingOverflow(other)
        case .subtract: result = one.subtractingReportingOverflow(other)
        case .multiply: result = one.multipliedReportingOverflow(by: other)
        case .divide, .floorDivide, .remainder:
            guard other != 0 else { throw Fault("integer division or modulo by zero") }
            let quotient = one.dividedReportingOverflow(by: other)
            guard !quotient.overflow else { throw overflow }
            let remainder = one % other
            // Python rounds towards minus infinity.
            let isAdjusted = remainder != 0 && (remainder < 0) != (other < 0)
            if operation == .remainder { return .integer(isAdjusted ? remainder + other : remainder) }
            return .integer(isAdjusted ? quotient.partialValue - 1 : quotient.partialValue)
        case .power:
            if other < 0 {
                guard one != 0 else { throw Fault("0.0 cannot be raised to a negative power") }
                return .float(power(Double(one), Double(other)))
            }
            var product = (partialValue: 1, overflow: false)
            if one == 0 || one == 1 || one == -1 {
                product.partialValue = other == 0 ? 1 : one == -1 && other % 2 == 0 ? 1 : one
            } else {
                for _ in 0..<min(other, 64) where !product.overflow {
                    product = product.partialValue.multipliedReportingOverflow(by: one)
                }
                if other > 64 { product.overflow = true }
            }
            result = product
        }
        guard !result.overflow else { throw overflow }
        return .integer(result.partialValue)
    }
}
