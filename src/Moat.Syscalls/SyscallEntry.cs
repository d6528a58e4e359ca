using Moat.Linux;

namespace Moat.Syscalls;

/// <summary>One row of the system call table.</summary>
/// <param name="Number">The number, whose name is the call's.</param>
/// <param name="Handler">What runs.</param>
/// <param name="Arguments">What the arguments are, in order.</param>
public sealed record SyscallEntry(SyscallNumber Number, SyscallHandler Handler, IReadOnlyList<Arg> Arguments);
