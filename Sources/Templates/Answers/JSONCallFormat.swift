// How the families that write calls of tools in JSON write them.

/// The form of a call of a tool in JSON, for grammars: `opening{"name": "…", "arguments": {…}}closing`.
package struct JSONCallFormat: Sendable, Hashable {
    /// What stands before the JSON.
    package let opening: String
    /// What stands behind the JSON.
    package let closing: String
    /// Whether the object is the element of an array.
    package let isList: Bool
    /// The key of the arguments.
    package let argumentsKey: String

    private init(_ opening: String, _ closing: String = "", isList: Bool = false, argumentsKey: String = "arguments") {
        (self.opening, self.closing, self.isList, self.argumentsKey) = (opening, closing, isList, argumentsKey)
    }

    /// The form of a family; nil if it is another than JSON with these keys.
    init?(_ syntax: AnswerSyntax) {
        if syntax.readsBareJSON {
            self.init("", argumentsKey: "parameters")
            return
        }
        guard let call = syntax.calls.first else { return nil }
        switch (call.form, call.opening) {
        case (.json, "<tool_call>"): self.init("<tool_call>\n", "\n</tool_call>")
        // Command R has other keys.
        case (.json, "<|START_ACTION|>"): return nil
        case (.json, _): self.init(call.opening, call.closing ?? "", isList: true)
        case (.nameAndJSON, "[TOOL_CALLS]"): self.init(call.opening, isList: true)
        default: return nil
        }
    }
}

extension ChatTemplate {
    /// The form of calls in answers to the template's conversations; nil if it is no JSON, or unknown.
    package var jsonCallFormat: JSONCallFormat? { JSONCallFormat(AnswerSyntax(template: markText)) }
}
