using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Sockets;

namespace Moat.Syscalls.Sockets;

/// <summary>Control messages (cmsg(3)): files and credentials both ways, and what a family makes of messages of its own levels.</summary>
internal static class ControlMessages
{
    private const int HeaderSize = 16;
    private const int SolSocket = 1;
    private const int Rights = 1;
    private const int Credentials = 2;
    private const int CredentialsSize = 12;
    private const int MaxData = 64; // of a message that the kernel makes

    /// <summary>net.core.optmem_max.</summary>
    private const int MaxLength = 20480;

    /// <summary>Reads what the guest sends; the result owns references of the files.</summary>
    /// <returns>EINVAL, EBADF, EPERM, ENOBUFS, EFAULT.</returns>
    public static Errno Read(GuestTask task, GuestAddress address, ulong length, out AncillaryData? ancillary)
    {
        ancillary = null;
        if (length == 0)
        {
            return Errno.None;
        }

        if (length > MaxLength)
        {
            return Errno.ENOBUFS;
        }

        byte[] bytes = new byte[length];
        Errno errno = task.Memory.CopyIn(address, bytes);
        AncillaryData data = new();
        int position = 0;
        while (errno == Errno.None && bytes.Length - position >= HeaderSize)
        {
            ReadOnlySpan<byte> rest = bytes.AsSpan(position);
            ulong size = BinaryPrimitives.ReadUInt64LittleEndian(rest);
            if (size < HeaderSize || size > (ulong)rest.Length)
            {
                errno = Errno.EINVAL;
                break;
            }

            if (BinaryPrimitives.ReadInt32LittleEndian(rest[8..]) == SolSocket)
            {
                ReadOnlySpan<byte> body = rest[HeaderSize..(int)size];
                errno = BinaryPrimitives.ReadInt32LittleEndian(rest[12..]) switch
                {
                    Rights => ReadFiles(task, body, data),
                    Credentials => ReadCredentials(task, body, data),
                    _ => Errno.EINVAL,
                };
            }

            else
            {
                data.Add(BinaryPrimitives.ReadInt32LittleEndian(rest[8..]), BinaryPrimitives.ReadInt32LittleEndian(rest[12..]), rest[HeaderSize..(int)size].ToArray());
            }

            position += Align((int)size);
        }

        if (errno != Errno.None)
        {
            data.ReleaseFiles();
            return errno;
        }

        ancillary = data.Files.Count > 0 || data.Credentials is not null || data.Messages is not null ? data : null;
        return Errno.None;
    }

    /// <summary>Hands what came with a message to the guest: files become descriptors, those that do not fit are closed.</summary>
    /// <param name="task">The receiver.</param>
    /// <param name="address">The guest's buffer.</param>
    /// <param name="room">Its length.</param>
    /// <param name="ancillary">What came; consumed.</param>
    /// <param name="closeOnExec">MSG_CMSG_CLOEXEC.</param>
    /// <param name="written">How many bytes were written.</param>
    /// <returns>Whether something did not fit (MSG_CTRUNC).</returns>
    public static bool Write(GuestTask task, GuestAddress address, ulong room, AncillaryData ancillary, bool closeOnExec, out ulong written)
    {
        written = 0;
        bool isCut = false;
        if (ancillary.Credentials is { } who)
        {
            isCut = !WriteCredentials(task, address, room, who, ref written);
        }

        foreach (ControlMessage message in ancillary.Messages ?? [])
        {
            isCut |= !WriteMessage(task, address, room, message.Level, message.Type, message.Data, ref written);
        }

        if (ancillary.Files.Count > 0)
        {
            isCut |= !WriteFiles(task, address, room, ancillary, closeOnExec, ref written);
        }

        ancillary.ReleaseFiles();
        return isCut;
    }

    private static int Align(int size) => (size + 7) & ~7;

    private static Errno ReadFiles(GuestTask task, ReadOnlySpan<byte> body, AncillaryData data)
    {
        ReadOnlySpan<int> numbers = MemoryMarshal.Cast<byte, int>(body);
        if (data.Files.Count + numbers.Length > AncillaryData.MaxFiles)
        {
            return Errno.EINVAL;
        }

        foreach (int number in numbers)
        {
            if (!task.Files.Get(number).TryGet(out FileDescription? file, out Errno errno))
            {
                return errno;
            }

            data.Files.Add(file); // also one of O_PATH, as in Linux
        }

        return Errno.None;
    }

    private static Errno ReadCredentials(GuestTask task, ReadOnlySpan<byte> body, AncillaryData data)
    {
        if (body.Length != CredentialsSize)
        {
            return Errno.EINVAL;
        }

        Ucred given = MemoryMarshal.Read<Ucred>(body);
        TaskCredentials own = task.Credentials;
        bool isAllowed = (given.Pid == task.ThreadGroup.Pid || own.HasCapability(Capability.CAP_SYS_ADMIN))
            && (given.Uid == own.RealUid || given.Uid == own.EffectiveUid || given.Uid == own.SavedUid || own.HasCapability(Capability.CAP_SETUID))
            && (given.Gid == own.RealGid || given.Gid == own.EffectiveGid || given.Gid == own.SavedGid || own.HasCapability(Capability.CAP_SETGID));
        if (!isAllowed)
        {
            return Errno.EPERM;
        }

        TaskId? process = given.Pid == task.ThreadGroup.Pid ? task.ThreadGroup.Id : task.Pids.FindTask(given.Pid)?.Id;
        data.Credentials = new PeerCredentials(process, given.Uid, given.Gid);
        return process is null ? Errno.ESRCH : Errno.None;
    }

    private static bool WriteCredentials(GuestTask task, GuestAddress address, ulong room, PeerCredentials who, ref ulong written)
    {
        Span<byte> data = stackalloc byte[CredentialsSize];
        MemoryMarshal.Write(data, who.For(task.Pids));
        return WriteMessage(task, address, room, SolSocket, Credentials, data, ref written);
    }

    // One message behind what is written already, cut to the room there is.
    private static bool WriteMessage(GuestTask task, GuestAddress address, ulong room, int level, int type, ReadOnlySpan<byte> data, ref ulong written)
    {
        ulong left = room - written;
        if (left < HeaderSize)
        {
            return false;
        }

        int length = HeaderSize + data.Length;
        Span<byte> bytes = stackalloc byte[HeaderSize + MaxData];
        data.CopyTo(bytes[HeaderSize..]);
        int fitting = (int)Math.Min(left, (ulong)length);
        WriteHeader(bytes, fitting, level, type);
        if (task.Memory.CopyOut(new GuestAddress(address.Value + written), bytes[..fitting]) != Errno.None)
        {
            return false;
        }

        written += Math.Min(left, (ulong)Align(length));
        return fitting == length;
    }

    private static bool WriteFiles(GuestTask task, GuestAddress address, ulong room, AncillaryData ancillary, bool closeOnExec, ref ulong written)
    {
        ulong left = room - written;
        int fitting = left < HeaderSize ? 0 : (int)Math.Min((left - HeaderSize) / sizeof(int), (ulong)ancillary.Files.Count);
        if (fitting == 0)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[HeaderSize + (AncillaryData.MaxFiles * sizeof(int))];
        ulong limit = task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current;
        int made = 0;
        for (; made < fitting; made++)
        {
            FileDescription file = ancillary.Files[made];
            file.AddReference();
            if (!task.Files.Install(file, closeOnExec, 0, limit).TryGet(out int fd, out _))
            {
                break;
            }

            BinaryPrimitives.WriteInt32LittleEndian(bytes[(HeaderSize + (made * sizeof(int)))..], fd);
        }

        int length = HeaderSize + (made * sizeof(int));
        if (made > 0)
        {
            WriteHeader(bytes, length, SolSocket, Rights);
            if (task.Memory.CopyOut(new GuestAddress(address.Value + written), bytes[..length]) == Errno.None)
            {
                written += Math.Min(left, (ulong)Align(length));
            }
        }

        return made == ancillary.Files.Count;
    }

    private static void WriteHeader(Span<byte> bytes, int length, int level, int type)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], level);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], type);
    }
}
