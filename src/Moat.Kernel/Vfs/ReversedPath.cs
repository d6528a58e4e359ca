using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A path that is put together from its end, as it is found on the way up to the root.</summary>
/// <param name="room">Where it is written, from the end; if that is too little, more is allocated.</param>
internal ref struct ReversedPath(Span<byte> room)
{
    private Span<byte> _room = room;
    private int _start = room.Length;

    /// <summary>What there is.</summary>
    public readonly ReadOnlySpan<byte> Text => _room[_start..];

    /// <summary>Puts bytes in front.</summary>
    public void Prepend(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _start)
        {
            Span<byte> larger = new byte[(_room.Length * 2) + bytes.Length];
            Text.CopyTo(larger[^Text.Length..]);
            _start += larger.Length - _room.Length;
            _room = larger;
        }

        _start -= bytes.Length;
        bytes.CopyTo(_room[_start..]);
    }

    /// <summary>Puts a name and the slash before it in front.</summary>
    public void PrependName(FileName name)
    {
        Prepend(name.Bytes);
        Prepend("/"u8);
    }

    /// <summary>Says behind it that its file has no name any more. Before anything else.</summary>
    public void MarkDeleted() => Prepend(" (deleted)"u8);
}
