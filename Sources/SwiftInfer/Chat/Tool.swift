// Tools that a model can call.

public import InferSupport
public import InferTemplates

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Something that a model can call in a ``Chat``: a closure with a description for the model.
///
/// ```swift
/// struct City: Generable, Encodable {
///     var name: String
///     static var jsonSchema: JSONSchema { .object(["name": .string()]) }
/// }
///
/// let weather = try Tool(name: "weather", description: "The weather in a city at present.") { (city: City) in
///     try await temperature(in: city.name)
/// }
/// let chat = Chat(try model.makeSession(), tools: [weather])
/// ```
public struct Tool: Sendable {
    /// Name, description and parameters, as templates show them to the model.
    public let definition: ToolDefinition
    private let call: @Sendable (JSONObject) async throws -> String

    /// The name of the tool.
    public var name: String { definition.name }

    /// A tool whose arguments are JSON.
    ///
    /// - Parameters:
    ///   - name: The name of the tool.
    ///   - description: What the tool does, for the model.
    ///   - parameters: The schema of the arguments, which are an object.
    ///   - call: Called with the arguments as the model wrote them; they need not follow the schema. The result goes to the model, and so
    ///     does the description of an error.
    public init(
        name: String, description: String, parameters: JSONSchema,
        call: @escaping @Sendable (JSONObject) async throws -> String
    ) {
        definition = ToolDefinition(name: name, description: description, parameters: parameters.json)
        self.call = call
    }

    /// A tool whose arguments are a value of a type. What cannot be decoded as one is an error that goes to the model.
    ///
    /// - Throws: ``InferenceError``, as the type's schema does.
    public init<Arguments: Generable>(
        name: String, description: String, call: @escaping @Sendable (Arguments) async throws -> String
    ) throws(InferenceError) {
        self.init(name: name, description: description, parameters: try Arguments.jsonSchema) { arguments in
            let text = JSONValue.object(arguments).description
            return try await call(try JSONDecoder().decode(Arguments.self, from: Data(text.utf8)))
        }
    }

    /// The result of a call, or what the model is told of an error.
    func result(_ arguments: JSONObject) async -> String {
        do {
            return try await call(arguments)
        } catch let error as DecodingError {
            return "error: the arguments are not as described: \(error.explanation)"
        } catch {
            return "error: \(error)"
        }
    }
}

extension [Tool] {
    /// The result of `call`, for the model.
    package func result(of call: ToolCall) async -> String {
        guard let tool = first(where: { $0.name == call.name }) else {
            let names = map(\.name).joined(separator: ", ")
            return "error: there is no tool \(call.name.printable); there are: \(names)"
        }
        return await tool.result(call.arguments)
    }
}

extension DecodingError {
    /// What is wrong, and where.
    fileprivate var explanation: String {
        func at(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "" : " (\(path.map(\.stringValue).joined(separator: ".")))"
        }
        return switch self {
        case .keyNotFound(let key, let context): "\(key.stringValue) is missing" + at(context.codingPath)
        case .valueNotFound(_, let context), .typeMismatch(_, let context), .dataCorrupted(let context):
            context.debugDescription + at(context.codingPath)
        @unknown default: "\(self)"
        }
    }
}
