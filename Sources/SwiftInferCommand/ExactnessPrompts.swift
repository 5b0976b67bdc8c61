// What `verify-exactness` lets a model continue when no prompts are given.

/// Code in several languages, prose, and texts that repeat themselves, of which drafters find much to guess.
enum ExactnessPrompts {
    static let texts = [
        "def quicksort(items):\n    \"\"\"Sorts a list.\"\"\"\n    if len(items) <= 1:\n        return items\n",
        "struct Stack<Element> {\n    private var elements: [Element] = []\n\n    mutating func push(_ element: Element) {\n",
        "#include <stdio.h>\n\nint main(void) {\n    for (int i = 0; i < 10; i++) {\n        printf(\"%d\\n\", i);\n    }\n",
        "SELECT name, COUNT(*) FROM orders JOIN customers ON orders.customer = customers.id\nGROUP BY name;\n\nSELECT ",
        "The harbour was empty when the ship came in. Nobody had expected it before spring, and ",
        "one two three four five six seven one two three four five six seven one two three four",
        String(repeating: "    self.items.append(item)\n", count: 20),
        (0..<24).map { "case \($0): return table[\($0)]\n" }.joined(),
        "{\"id\": 1, \"name\": \"a\", \"tags\": [\"x\", \"y\"]},\n{\"id\": 2, \"name\": \"b\", \"tags\": [\"x\", \"z\"]},\n{\"id\": 3,",
        "Fix the function.\n\nBefore:\ndef area(w, h):\n    return w + h\n\nAfter:\ndef area(w, h):\n",
        "fn main() {\n    let numbers = vec![1, 2, 3];\n    let total: i32 = numbers.iter().sum();\n",
        "Ein Satz mit Umlauten: Äpfel, Öl, Übung. Ещё одна строка. 一行中文。 🙂\n",
    ]
}
