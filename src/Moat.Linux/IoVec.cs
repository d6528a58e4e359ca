using System.Runtime.InteropServices;

namespace Moat.Linux;

/// <summary><c>struct iovec</c>: a buffer's address and length, the host's or the guest's.</summary>
/// <param name="Base"><c>iov_base</c>.</param>
/// <param name="Length"><c>iov_len</c>, in bytes.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct IoVec(ulong Base, ulong Length);
