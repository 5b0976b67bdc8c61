// Several schemas that hold together, as one.

import InferSupport

/// What schemas without choices say together of a value. Schemas of the parts of a value are lists of schemas that hold together.
struct JointSchema {
    /// Where the first of the schemas stands.
    let path: String
    private(set) var types = JSONTypes.all
    private(set) var values: [JSONValue]?
    private(set) var numbers = NumberRange()
    private(set) var strings = StringRange()
    /// The properties that a schema names or requires, in order.
    private(set) var properties: [(name: String, schemas: [SchemaID])] = []
    private(set) var required: Set<String> = []
    /// What holds for all other properties; nil if there must be none.
    private(set) var additionalProperties: [SchemaID]? = []
    private(set) var prefixItems: [[SchemaID]] = []
    private(set) var items: [SchemaID] = []
    private(set) var minimumItems = 0
    private(set) var maximumItems: Int?

    /// Joins schemas.
    init(_ schemas: [SchemaID], in document: inout SchemaDocument, _ style: JSONStyle) throws(InferenceError) {
        var members: [Schema] = []
        for schema in schemas { members.append(try document.schema(schema)) }
        path = members.first?.path ?? "#"
        for member in members {
            types.formIntersection(member.types)
            if let new = member.values {
                values = values.map { old in old.filter { value in new.contains { $0.isEqual(to: value) } } } ?? new
            }
            numbers.formIntersection(member.numbers)
            strings.formIntersection(member.strings)
            minimumItems = max(minimumItems, member.minimumItems)
            maximumItems = [maximumItems, member.maximumItems].compactMap { $0 }.min()
        }
        joinProperties(members, style)
        try joinItems(members, in: &document)
        for schema in additionalProperties ?? [] where try document.schema(schema).isFalse {
            additionalProperties = nil
        }
    }

    private mutating func joinProperties(_ members: [Schema], _ style: JSONStyle) {
        var names: [String] = []
        var known: Set<[UInt8]> = []
        for name in members.flatMap({ $0.properties.map(\.name) }) + members.flatMap(\.required) {
            if known.insert(Array(name.utf8)).inserted { names.append(name) }
        }
        required = Set(members.flatMap(\.required))
        var schemas: [String: [SchemaID]] = [:]
        for member in members {
            let own = Dictionary(member.properties.map { ($0.name, $0.schema) }) { first, _ in first }
            for name in names {
                if let schema = own[name] ?? member.additionalProperties { schemas[name, default: []].append(schema) }
            }
        }
        properties = names.map { ($0, schemas[$0] ?? []) }
        let additional = members.compactMap(\.additionalProperties)
        let isClosed = !style.allowsUndeclaredProperties && additional.isEmpty && !names.isEmpty
        additionalProperties = isClosed ? nil : additional
    }

    private mutating func joinItems(_ members: [Schema], in document: inout SchemaDocument) throws(InferenceError) {
        for index in 0..<(members.map(\.prefixItems.count).max() ?? 0) {
            prefixItems.append(
                members.compactMap { index < $0.prefixItems.count ? $0.prefixItems[index] : $0.items })
        }
        items = members.compactMap(\.items)
        for (index, schemas) in (prefixItems + [items]).enumerated() {
            for schema in schemas where try document.schema(schema).isFalse {
                maximumItems = min(maximumItems ?? index, index)
            }
        }
    }

    /// Whether every value is allowed.
    var isUnlimited: Bool {
        types == .all && values == nil && numbers.isUnlimited && strings.isUnlimited && hasAnyProperties && hasAnyItems
    }

    /// Whether objects may have any properties.
    var hasAnyProperties: Bool { properties.isEmpty && additionalProperties?.isEmpty ?? false }

    /// Whether arrays may have any elements.
    var hasAnyItems: Bool {
        prefixItems.isEmpty && items.isEmpty && minimumItems == 0 && maximumItems == nil
    }
}

// MARK: Choices

/// Finds the schemas of a document that hold together.
struct SchemaAlternatives {
    /// The largest number of alternatives of one value.
    private static let maximumCount = 1_000

    /// The schemas for which it is known that no chain of references and choices leads back to them.
    private var grounded: Set<SchemaID> = []

    /// The alternatives for a value for which all of `schemas` hold: for at least one alternative, all its schemas hold. The choices of the
    /// schemas in an alternative have been made.
    ///
    /// - Throws: `invalidArgument` for schemas that refer to themselves without going into a part of the value, and beyond a limit.
    mutating func find(
        _ schemas: [SchemaID], in document: inout SchemaDocument, budget: inout CompilationBudget
    ) throws(InferenceError) -> [[SchemaID]] {
        struct Work {
            var pending: [SchemaID]
            var found: Set<SchemaID> = []
            var choices: [[SchemaID]] = []
        }
        for schema in schemas { try checkGround(schema, in: &document) }
        var alternatives: [[SchemaID]] = []
        var known: Set<[SchemaID]> = []
        var stack = [Work(pending: schemas)]
        while var work = stack.popLast() {
            try budget.spend(16)
            while let next = work.pending.popLast() {
                guard work.found.insert(next).inserted else { continue }
                let schema = try document.schema(next)
                work.pending += schema.conjuncts
                work.choices += schema.choices
            }
            if let choice = work.choices.popLast() {
                for branch in choice.reversed() {
                    var copy = work
                    copy.pending = [branch]
                    stack.append(copy)
                }
            } else {
                let alternative = work.found.sorted()
                if known.insert(alternative).inserted { alternatives.append(alternative) }
            }
            guard alternatives.count + stack.count <= Self.maximumCount else {
                let path = try document.schema(schemas[0]).path
                throw InferenceError(
                    .invalidArgument,
                    "JSON schema, \(path.printable): \"anyOf\" and \"oneOf\" allow more than \(Self.maximumCount) "
                        + "combinations")
            }
        }
        return alternatives
    }

    /// Refuses schemas that lead back to themselves.
    private mutating func checkGround(
        _ schema: SchemaID, in document: inout SchemaDocument
    ) throws(InferenceError) {
        var path: [(schema: SchemaID, rest: [SchemaID])] = [(schema, try targets(of: schema, in: &document))]
        var open: Set<SchemaID> = [schema]
        while let (schema, rest) = path.last {
            guard let next = rest.last else {
                grounded.insert(schema)
                open.remove(schema)
                path.removeLast()
                continue
            }
            path[path.count - 1].rest.removeLast()
            guard !grounded.contains(next) else { continue }
            guard open.insert(next).inserted else {
                throw try document.schema(next).fault("the schema refers to itself for the same value")
            }
            path.append((next, try targets(of: next, in: &document)))
        }
    }

    /// The schemas that a schema leads to for the same value.
    private func targets(of schema: SchemaID, in document: inout SchemaDocument) throws(InferenceError) -> [SchemaID] {
        guard !grounded.contains(schema) else { return [] }
        let schema = try document.schema(schema)
        return schema.conjuncts + schema.choices.joined()
    }
}
