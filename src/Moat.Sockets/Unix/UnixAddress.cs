using System.Buffers.Binary;
using System.Text;
using Moat.Linux;

namespace Moat.Sockets.Unix;

/// <summary>A <c>sockaddr_un</c> (unix(7)), checked: unnamed, a path, or an abstract name.</summary>
internal readonly struct UnixAddress
{
    private const int FamilyLength = 2;
    private const int MaxLength = 110;

    private readonly byte[]? _path; // without an ending zero, or an abstract name with its leading zero

    private UnixAddress(byte[] path) => _path = path;

    /// <summary>Whether it has neither path nor name.</summary>
    public bool IsUnnamed => _path is null;

    /// <summary>Whether it is a name of the abstract namespace.</summary>
    public bool IsAbstract => _path is { Length: > 0 } && _path[0] == 0;

    /// <summary>The path's bytes.</summary>
    public ReadOnlySpan<byte> Path => _path;

    /// <summary>The abstract name as a key.</summary>
    public string Key => Encoding.Latin1.GetString(_path!);

    /// <summary>Reads one as bind(2) and connect(2) get it.</summary>
    /// <returns>EINVAL for a wrong length or family.</returns>
    public static Result<UnixAddress> Parse(ReadOnlySpan<byte> raw)
    {
        if (raw.Length is < FamilyLength or > MaxLength || BinaryPrimitives.ReadUInt16LittleEndian(raw) != (ushort)AddressFamily.AF_UNIX)
        {
            return Errno.EINVAL;
        }

        ReadOnlySpan<byte> path = raw[FamilyLength..];
        if (path.IsEmpty)
        {
            return default(UnixAddress);
        }

        int zero = path[0] == 0 ? -1 : path.IndexOf((byte)0);
        return new UnixAddress((zero < 0 ? path : path[..zero]).ToArray());
    }

    /// <summary>An abstract name of five hexadecimal digits, as autobind gives.</summary>
    public static UnixAddress Automatic(uint number) => new(Encoding.Latin1.GetBytes($"\0{number & 0xfffff:x5}"));

    /// <summary>The bytes of the <c>sockaddr_un</c>; a path ends in a zero.</summary>
    public byte[] ToBytes()
    {
        int length = _path is null ? 0 : IsAbstract ? _path.Length : _path.Length + 1;
        byte[] bytes = new byte[FamilyLength + length];
        bytes[0] = (byte)AddressFamily.AF_UNIX;
        _path?.CopyTo(bytes.AsSpan(FamilyLength));
        return bytes;
    }
}
