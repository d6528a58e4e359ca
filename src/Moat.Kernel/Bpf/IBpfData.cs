namespace Moat.Kernel.Bpf;

/// <summary>What a program looks at: a call, or a packet.</summary>
public interface IBpfData
{
    /// <summary>What <c>ld len</c> loads.</summary>
    uint Length { get; }

    /// <summary>Loads from an offset.</summary>
    /// <param name="offset">Where; what lies behind <see cref="BpfProgram.NegativeOffsets"/> are places that the kind of data gives a meaning to.</param>
    /// <param name="size">1, 2 or 4 bytes.</param>
    /// <param name="value">The number.</param>
    /// <returns>False if it is not there: the program ends with 0.</returns>
    bool TryLoad(uint offset, int size, out uint value);

    /// <summary>Loads what is known beside the bytes (SKF_AD_*).</summary>
    /// <param name="extension">Which.</param>
    /// <param name="a">The accumulator.</param>
    /// <param name="x">The index register.</param>
    /// <param name="value">The number.</param>
    /// <returns>False if it is not known: the program ends with 0.</returns>
    bool TryLoad(BpfExtension extension, uint a, uint x, out uint value);
}
