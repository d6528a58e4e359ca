using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Sockets;

/// <summary>Moves a <c>sockaddr</c> between guest and kernel.</summary>
internal static class SocketAddress
{
    /// <summary><c>struct sockaddr_storage</c>.</summary>
    public const int MaxLength = 128;

    /// <summary>Reads an address of a given length into a buffer of <see cref="MaxLength"/> bytes.</summary>
    /// <returns>EINVAL for a length out of range; EFAULT.</returns>
    public static Errno Read(GuestTask task, GuestAddress address, int length, Span<byte> buffer) =>
        (uint)length > MaxLength ? Errno.EINVAL : task.Memory.CopyIn(address, buffer[..length]);

    /// <summary>Writes an address, cut to the length the guest gives at <paramref name="lengthAddress"/>, where its full length goes.</summary>
    /// <returns>EINVAL for a negative length; EFAULT.</returns>
    public static Errno Write(GuestTask task, ReadOnlySpan<byte> bytes, GuestAddress address, GuestAddress lengthAddress)
    {
        Errno errno = task.Memory.Read(lengthAddress, out int room);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (room < 0)
        {
            return Errno.EINVAL;
        }

        errno = task.Memory.CopyOut(address, bytes[..Math.Min(room, bytes.Length)]);
        return errno != Errno.None ? errno : task.Memory.Write(lengthAddress, bytes.Length);
    }
}
