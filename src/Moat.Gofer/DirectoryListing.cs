using System.Buffers.Binary;
using Moat.Host;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Gofer;

/// <summary>Reads an open directory for Treaddir. Cookies are the host's own offsets, so that a listing may go on anywhere.</summary>
internal sealed class DirectoryListing(int fd)
{
    private const int NameOffset = 19; // of struct linux_dirent64

    private readonly byte[] _buffer = new byte[32 << 10];
    private ulong _position;

    /// <summary>Adds entries after a cookie.</summary>
    public Errno Read(ulong offset, NinePDirectorySink sink)
    {
        bool isFull = false;
        bool hasAdded = false;
        while (!isFull)
        {
            if (offset != _position)
            {
                SyscallResult moved = HostCall.Invoke(SyscallNumber.lseek, fd, (nint)offset, 0);
                if (moved.IsError)
                {
                    return moved.Errno;
                }

                _position = offset;
            }

            SyscallResult count = HostFile.ReadDirectory(fd, _buffer);
            if (count.IsError || count.Raw == 0)
            {
                return count.Errno;
            }

            for (int at = 0; at < count.Raw && !isFull;)
            {
                ReadOnlySpan<byte> entry = _buffer.AsSpan(at);
                at += BinaryPrimitives.ReadUInt16LittleEndian(entry[16..]);
                ReadOnlySpan<byte> name = entry[NameOffset..];
                name = name[..name.IndexOf((byte)0)];
                ulong cookie = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
                byte type = entry[18];
                Qid qid = new(Qid.TypeOf((Mode)(type << 12)), 0, BinaryPrimitives.ReadUInt64LittleEndian(entry));
                isFull = !sink.TryAdd(qid, cookie, type, name);
                if (!isFull)
                {
                    offset = cookie;
                    hasAdded = true;
                }
            }

            _position = ulong.MaxValue; // the host's offset is behind what was taken
            if (!isFull)
            {
                _position = offset;
            }
        }

        return hasAdded ? Errno.None : Errno.EINVAL; // not even one fits
    }
}
