namespace Moat.Kernel.Ipc;

/// <summary>A message of a POSIX queue.</summary>
/// <param name="Priority">Higher ones are received first.</param>
/// <param name="Text">Its bytes.</param>
public sealed record PosixMessage(uint Priority, byte[] Text);
