using System.Buffers.Binary;
using Moat.Kernel.Bpf;

namespace Moat.Kernel.Seccomp;

/// <summary><c>struct seccomp_data</c>, as a filter sees it: words in the machine's order, inside the structure (the check has seen to that).</summary>
public readonly ref struct SeccompData(ReadOnlySpan<byte> bytes) : IBpfData
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <inheritdoc/>
    public uint Length => BpfProgram.CallSize;

    /// <inheritdoc/>
    public bool TryLoad(uint offset, int size, out uint value)
    {
        value = BinaryPrimitives.ReadUInt32LittleEndian(_bytes[(int)offset..]);
        return true;
    }

    /// <inheritdoc/>
    public bool TryLoad(BpfExtension extension, uint a, uint x, out uint value)
    {
        value = 0;
        return false;
    }
}
