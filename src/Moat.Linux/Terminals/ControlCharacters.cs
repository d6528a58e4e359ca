using System.Runtime.CompilerServices;

namespace Moat.Linux.Terminals;

/// <summary><c>c_cc</c>: which characters do what. 0 (_POSIX_VDISABLE) is none.</summary>
[InlineArray(Count)]
public struct ControlCharacters
{
    /// <summary>NCCS of the kernel.</summary>
    public const int Count = 19;

    private byte _first;
}
