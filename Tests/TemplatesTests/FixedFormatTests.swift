// The chat formats that are written in Swift.

import InferTemplates
import InferTokenizers
import Testing

@Suite struct FixedFormatTests {
    static let conversation = [
        ChatMessage(role: .system, content: "S"), ChatMessage(role: .user, content: "U"),
        ChatMessage(role: .assistant, content: "A"), ChatMessage(role: .user, content: "V"),
    ]

    @Test(arguments: [
        (
            "{{ '<|im_start|>' + role }}", "chatml",
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n"
                + "<|im_start|>user\nV<|im_end|>\n<|im_start|>assistant\n"
        ),
        (
            "<|start_header_id|> <|end_header_id|>", "llama3",
            "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|>"
                + "<|start_header_id|>assistant<|end_header_id|>\n\nA<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nV"
                + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
        ),
        (
            "{{ ' [INST] ' }} [AVAILABLE_TOOLS]", "mistral-v1",
            " [INST] S\n\nU [/INST] A</s> [INST] V [/INST]"
        ),
        ("{{ '[INST] ' }} [AVAILABLE_TOOLS]", "mistral-v3", "[INST] S\n\nU[/INST] A</s>[INST] V[/INST]"),
        (
            "{{ \"[INST]\" }}[AVAILABLE_TOOLS] loop.last and system_message", "mistral-v3-tekken",
            "[INST]U[/INST]A</s>[INST]S\n\nV[/INST]"
        ),
        (
            "[INST] [SYSTEM_PROMPT] x", "mistral-v7",
            "[SYSTEM_PROMPT] S[/SYSTEM_PROMPT][INST] U[/INST] A</s>[INST] V[/INST]"
        ),
        (
            "[INST]'[SYSTEM_PROMPT]'", "mistral-v7-tekken",
            "[SYSTEM_PROMPT]S[/SYSTEM_PROMPT][INST]U[/INST]A</s>[INST]V[/INST]"
        ),
        (
            "[INST] <<SYS>>", "llama2",
            "[INST] <<SYS>>\nS\n<</SYS>>\n\nU [/INST] A </s><s>[INST] V [/INST]"
        ),
        (
            "### Instruction: <|EOT|>", "deepseek-coder",
            "S### Instruction:\nU\n### Response:\nA\n<|EOT|>\n### Instruction:\nV\n### Response:\n"
        ),
        (
            "'Assistant: ' + message['content'] + eos_token", "deepseek-v2",
            "S\n\nUser: U\n\nAssistant: A<｜end▁of▁sentence｜>User: V\n\nAssistant:"
        ),
        (
            "<｜Assistant｜> <｜User｜>", "deepseek-v3",
            "S<｜User｜>U<｜Assistant｜>A<｜end▁of▁sentence｜><｜User｜>V<｜Assistant｜>"
        ),
        (
            "<start_of_turn>", "gemma",
            "<start_of_turn>user\nS\n\nU<end_of_turn>\n<start_of_turn>model\nA<end_of_turn>\n"
                + "<start_of_turn>user\nV<end_of_turn>\n<start_of_turn>model\n"
        ),
        (
            "<|start_of_role|>", "granite",
            "<|start_of_role|>system<|end_of_role|>S<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>U<|end_of_text|>\n"
                + "<|start_of_role|>assistant<|end_of_role|>A<|end_of_text|>\n"
                + "<|start_of_role|>user<|end_of_role|>V<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>"
        ),
        (
            "System: Question: Answer:", "granite-code",
            "System:\nS\n\nQuestion:\nU\n\nAnswer:\nA\n\nQuestion:\nV\n\nAnswer:\n"
        ),
        (
            "<|assistant|> <|end|>", "phi3",
            "<|system|>\nS<|end|>\n<|user|>\nU<|end|>\n<|assistant|>\nA<|end|>\n<|user|>\nV<|end|>\n<|assistant|>\n"
        ),
    ]) func renders(template: String, format: String, text: String) throws {
        let template = try #require(FixedChatTemplate(recognizing: template))
        #expect(template.format.description == format)
        #expect(template.render(Self.conversation).text == text)
    }

    @Test func harmony() throws {
        let template = try #require(
            FixedChatTemplate(
                recognizing:
                    "<|start|> <|channel|> {%- set model_identity = \"You are X.\" %}{{ \"Knowledge cutoff: 2024-06\\n\" }}"
            ))
        let text = template.render(Self.conversation).text
        #expect(
            text.hasPrefix("<|start|>system<|message|>You are X.\nKnowledge cutoff: 2024-06\n\nReasoning: medium\n\n"))
        #expect(
            text.hasSuffix(
                "<|end|><|start|>developer<|message|># Instructions\n\nS\n\n<|end|><|start|>user<|message|>U<|end|>"
                    + "<|start|>assistant<|channel|>final<|message|>A<|end|><|start|>user<|message|>V<|end|><|start|>assistant"
            ))
    }

    @Test func theTemplatesOwnSystemMessageIsTheDefault() throws {
        let template = try #require(
            FixedChatTemplate(
                recognizing:
                    "{{ '<|im_start|>system\\n' + x + '<|im_end|>' }}{{ '<|im_start|>system\\nYou help.<|im_end|>\\n' }}"
            ))
        let user = ChatMessage(role: .user, content: "U")
        #expect(
            template.render([user], addGenerationPrompt: false).text
                == "<|im_start|>system\nYou help.<|im_end|>\n<|im_start|>user\nU<|im_end|>\n")
        #expect(!template.render(Self.conversation).text.contains("You help."))
    }

    @Test func llama3WritesItsDates() throws {
        let template = try #require(
            FixedChatTemplate(
                recognizing: "<|start_header_id|><|end_header_id|>{{- \"Cutting Knowledge Date: December 2023\\n\" }}"))
        #expect(
            template.render([], addGenerationPrompt: false).text
                == "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024"
                + "\n\n<|eot_id|>")
    }

    @Test func reasoningModelsBeginWithAThought() throws {
        let template = try #require(FixedChatTemplate(recognizing: "<｜User｜>{{'<｜Assistant｜><think>\\n'}}"))
        #expect(template.render([ChatMessage(role: .user, content: "U")]).text == "<｜User｜>U<｜Assistant｜><think>\n")
    }

    @Test func unknownTemplatesAreNotRecognised() { #expect(FixedChatTemplate(recognizing: "{{ messages }}") == nil) }

    @Test func everyFormatHasItsName() throws {
        for name in ChatFormat.names { #expect(ChatFormat(named: name)?.description == name) }
        #expect(ChatFormat(named: "chat-ml") == nil)
    }
}
