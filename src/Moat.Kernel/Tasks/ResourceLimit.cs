using System.Runtime.InteropServices;

namespace Moat.Kernel.Tasks;

/// <summary><c>struct rlimit64</c>.</summary>
/// <param name="Current">The soft limit.</param>
/// <param name="Maximum">The hard limit.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ResourceLimit(ulong Current, ulong Maximum)
{
    /// <summary>RLIM_INFINITY.</summary>
    public const ulong Infinity = ulong.MaxValue;
}
