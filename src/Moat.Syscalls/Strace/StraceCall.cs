using System.Text;

namespace Moat.Syscalls.Strace;

/// <summary>A call being traced: what was known when it was made.</summary>
/// <param name="Entry">Its row in the table; null for a number that has none.</param>
/// <param name="Text">The line so far, outputs left open.</param>
/// <param name="FirstOutput">The first argument that must wait for the result; the count of arguments if none must.</param>
/// <param name="StartNs">When it was made, monotonic.</param>
public sealed record StraceCall(SyscallEntry? Entry, StringBuilder Text, int FirstOutput, long StartNs);
