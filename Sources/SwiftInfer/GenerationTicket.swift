// What an iterator holds on to while it generates.

/// The right to a session's next steps. The session refers to it weakly, so that it ends with the iterator that has it: a loop
/// that was left needs no further word.
final class GenerationTicket: Sendable {}
