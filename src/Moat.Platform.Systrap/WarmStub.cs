namespace Moat.Platform.Systrap;

/// <summary>A stub process that no address space has yet, and the slot of the thread that it makes first.</summary>
internal sealed record WarmStub(StubProcess Process, StubThread Thread);
