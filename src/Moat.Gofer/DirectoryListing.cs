using System.Buffers.Binary;
using Moat.Host;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Gofer;

/// <summary>Reads an open directory for Treaddir. Cookies are the host's own offsets, so that a listing may go on anywhere.</summary>
/// <param name="fd">The directory; it stays the caller's.</param>
/// <param name="buffer">Used during a call.</param>
internal sealed class DirectoryListing(int fd, byte[] buffer)
{
    private const int NameOffset = 19; // of struct linux_dirent64

    private ulong _position;

    /// <summary>Whether the last call came to the end.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Adds entries after a cookie.</summary>
    public Errno Read(ulong offset, INinePEntrySink sink)
    {
        bool isFull = false;
        HasEnded = false;
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

            SyscallResult count = HostFile.ReadDirectory(fd, buffer);
            if (count.IsError || count.Raw == 0)
            {
                HasEnded = !count.IsError;
                return count.Errno;
            }

            for (int at = 0; at < count.Raw && !isFull;)
            {
                ReadOnlySpan<byte> entry = buffer.AsSpan(at);
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
