// How the model families mark thoughts and tool calls in their answers.

/// The marks of a family in an answer, recognised by the model's template.
struct AnswerSyntax: Sendable {
    /// The form of what stands between the marks of a call.
    enum Form: Sendable {
        /// A JSON object with a name and arguments, or an array of such objects.
        case json
        /// A name, a separator and the arguments in JSON: `name[ARGS]{…}`.
        case nameAndJSON(separators: [String])
        /// `<function=name><parameter=key>value</parameter>…</function>`; also with the arguments in JSON.
        case function
        /// `name<arg_key>key</arg_key><arg_value>value</arg_value>…`
        case argumentKeys
        /// `<invoke name="name"><parameter name="key">value</parameter>…</invoke>`, each tag with a prefix.
        case invoke(prefix: String)
        /// `call:name{key:<|"|>text<|"|>,key:1}`
        case gemma
        /// Calls of Python in a list: `[name(key="value", …), …]`
        case python
    }

    /// A kind of call.
    struct Call: Sendable {
        let opening: String
        /// Nil if a call ends with its JSON or the answer.
        let closing: String?
        let form: Form
        /// Whether the opening mark is also the beginning of the body.
        var keepsOpening = false
    }

    var calls: [Call] = []
    /// Marks around thoughts.
    var thoughts: [(opening: String, closing: String)] = []
    /// Marks without meaning for the reader, which are dropped.
    var dropped: [String] = []
    /// Whether an answer that begins with a JSON object with a name is a call (Llama 3).
    var readsBareJSON = false
    /// Whether the answer consists of channels with headers (Harmony).
    var hasChannels = false

    /// The syntax of the family that a template belongs to. Without any known mark, answers are plain text.
    init(template: String) {
        func has(_ marks: String...) -> Bool { marks.allSatisfy { template.containsBytes(of: $0) } }
        if has("<|channel|>", "<|message|>") {
            hasChannels = true
            return
        }
        chooseThoughts(has)
        if has("[TOOL_CALLS]") {
            calls = [
                Call(
                    opening: "[TOOL_CALLS]", closing: nil, form: .nameAndJSON(separators: ["[CALL_ID]", "[ARGS]"]))
            ]
        } else if has("｜DSML｜") {
            for name in ["function_calls", "tool_calls"] {
                calls.append(
                    Call(opening: "<｜DSML｜\(name)>", closing: "</｜DSML｜\(name)>", form: .invoke(prefix: "｜DSML｜")))
            }
        } else if has("<｜tool▁call▁begin｜>") {
            calls = [
                Call(
                    opening: "<｜tool▁call▁begin｜>", closing: "<｜tool▁call▁end｜>",
                    form: .nameAndJSON(separators: ["function<｜tool▁sep｜>", "<｜tool▁sep｜>"]))
            ]
            dropped += ["<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"]
        } else if has("<|tool_call>call:") {
            calls = [Call(opening: "<|tool_call>", closing: "<tool_call|>", form: .gemma)]
        } else if has("<|tool_call_begin|>") {
            calls = [
                Call(
                    opening: "<|tool_call_begin|>", closing: "<|tool_call_end|>",
                    form: .nameAndJSON(separators: ["<|tool_call_argument_begin|>"]))
            ]
            dropped += ["<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"]
        } else if has("<|tool_call:begin|>") {
            calls = [
                Call(
                    opening: "<|tool_call:begin|>", closing: "<|tool_call:end|>",
                    form: .nameAndJSON(separators: ["<|tool_call:name|>", "<|tool_call:args|>"]))
            ]
            dropped += ["<|tool_calls|>", "<|begin|>assistant", "<|calls|>"]
        } else if has("<minimax:tool_call>") {
            calls = [
                Call(opening: "<minimax:tool_call>", closing: "</minimax:tool_call>", form: .invoke(prefix: ""))
            ]
        } else if has("<atem:function_calls>") {
            calls = [
                Call(
                    opening: "<atem:function_calls>", closing: "</atem:function_calls>",
                    form: .invoke(prefix: "atem:"))
            ]
        } else if has("<arg_key>") {
            calls = [Call(opening: "<tool_call>", closing: "</tool_call>", form: .argumentKeys)]
        } else if has("<tool_call>", "<parameter=") {
            calls = [
                Call(opening: "<tool_call>", closing: "</tool_call>", form: .function),
                // Models sometimes leave out the outer mark.
                Call(opening: "<function=", closing: "</function>", form: .function, keepsOpening: true),
            ]
            dropped += ["</tool_call>"]
        } else if has("<function=", "</function>") {
            calls = [Call(opening: "<function=", closing: "</function>", form: .function, keepsOpening: true)]
        } else {
            chooseJSON(has)
        }
    }

    /// The mark that ends the thought that a prompt has begun; nil if it has begun none.
    func openThought(after prompt: [UInt8]) -> String? {
        let end = prompt.lastIndex { !$0.isSpace }.map { prompt[...$0] } ?? []
        return thoughts.last { end.ends(with: $0.opening) }?.closing
    }

    /// The header of a channel of text.
    private static let textHeader = "<|channel|>final<|message|>"

    /// Whether a prompt ends with the header of a channel of text.
    func beginsText(after prompt: [UInt8]) -> Bool { hasChannels && prompt.ends(with: Self.textHeader) }

    /// What has to follow a prompt so that the answer begins with its text.
    func textOpening(after prompt: [UInt8]) -> String {
        if hasChannels { return beginsText(after: prompt) ? "" : Self.textHeader }
        return openThought(after: prompt).map { $0 + "\n\n" } ?? ""
    }

    private mutating func chooseThoughts(_ has: (String...) -> Bool) {
        if has("<|channel>thought") { thoughts.append(("<|channel>thought", "<channel|>")) }
        if has("[THINK]") { thoughts.append(("[THINK]", "[/THINK]")) }
        if has("<|START_THINKING|>") { thoughts.append(("<|START_THINKING|>", "<|END_THINKING|>")) }
        if has("<seed:think>") { thoughts.append(("<seed:think>", "</seed:think>")) }
        if has("<|inner_prefix|>") { thoughts.append(("<|inner_prefix|>", "<|inner_suffix|>")) }
        if has("</mm:think>") { thoughts.append(("<mm:think>", "</mm:think>")) }
        if has("</think>") || has("<think>") { thoughts.append(("<think>", "</think>")) }
    }

    /// The families that write calls in JSON, and those of Python's notation.
    private mutating func chooseJSON(_ has: (String...) -> Bool) {
        for (opening, closing) in [
            ("<TOOLCALL>", "</TOOLCALL>"), ("<tool_calls>", "</tool_calls>"), ("<|tools_prefix|>", "<|tools_suffix|>"),
            ("<|START_ACTION|>", "<|END_ACTION|>"), ("<tool_call>", "</tool_call>"),
        ] where has(opening) {
            calls.append(Call(opening: opening, closing: closing, form: .json))
            if opening == "<|START_ACTION|>" { dropped += ["<|START_RESPONSE|>", "<|END_RESPONSE|>"] }
            return
        }
        for opening in ["<|tool_call|>", "<|function_call|>", " functools"] where has(opening) {
            calls.append(Call(opening: opening, closing: nil, form: .json))
            return
        }
        if has("<|tool_call_start|>") || has("<|tool_list_start|>") {
            calls = [Call(opening: "<|tool_call_start|>", closing: "<|tool_call_end|>", form: .python)]
        } else if has("<|python_tag|>") || has("<|start_header_id|>") {
            calls = [Call(opening: "<|python_tag|>", closing: nil, form: .python)]
            readsBareJSON = true
        }
    }
}
