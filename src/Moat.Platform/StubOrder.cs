using Moat.Linux;

namespace Moat.Platform;

/// <summary>A host call with up to three arguments that changes an address space.</summary>
public readonly record struct StubOrder(SyscallNumber Number, ulong A0, ulong A1, ulong A2);
