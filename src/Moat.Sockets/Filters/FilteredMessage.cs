using Moat.Kernel.Bpf;

namespace Moat.Sockets.Filters;

/// <summary>A message without headers as a filter sees it: of a unix or netlink socket.</summary>
internal readonly ref struct FilteredMessage(ReadOnlySpan<byte> bytes) : IBpfData
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <inheritdoc/>
    public uint Length => (uint)_bytes.Length;

    /// <inheritdoc/>
    public bool TryLoad(uint offset, int size, out uint value)
    {
        value = 0;
        if (offset > (long)_bytes.Length - size)
        {
            return false;
        }

        foreach (byte part in _bytes.Slice((int)offset, size))
        {
            value = (value << 8) | part;
        }

        return true;
    }

    /// <inheritdoc/>
    public bool TryLoad(BpfExtension extension, uint a, uint x, out uint value)
    {
        value = 0;
        return extension is not (BpfExtension.InterfaceIndex or BpfExtension.HardwareType); // there is no device
    }
}
