using System.Text;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Sockets;

namespace Moat.Syscalls.Sockets;

/// <summary>SO_BINDTODEVICE, SO_BINDTOIFINDEX and SO_MARK (socket(7)): through which interface a socket's packets go, and what they are marked with.</summary>
internal static class SocketDeviceOptions
{
    /// <summary>SO_BINDTODEVICE.</summary>
    public const int BindToDevice = 25;

    /// <summary>SO_MARK.</summary>
    public const int Mark = 36;

    /// <summary>SO_BINDTOIFINDEX.</summary>
    public const int BindToIndex = 62;

    private const int MaxName = 16; // IFNAMSIZ

    /// <summary>Writes the name of the interface that a socket is bound to, with its ending zero; nothing if it is bound to none.</summary>
    public static Errno GetName(GuestTask task, Socket socket, GuestAddress address, GuestAddress lengthAddress, int room)
    {
        if (socket.Options.BoundInterface == 0)
        {
            return task.Memory.Write(lengthAddress, 0);
        }

        if (room < MaxName)
        {
            return Errno.EINVAL;
        }

        if (socket.Network.NameOfInterface(socket.Options.BoundInterface) is not { } owner)
        {
            return Errno.ENODEV;
        }

        byte[] name = Encoding.ASCII.GetBytes(owner + '\0');
        Errno errno = task.Memory.CopyOut(address, name);
        return errno != Errno.None ? errno : task.Memory.Write(lengthAddress, name.Length);
    }

    /// <summary>Binds to the interface with a name; an empty one ends that.</summary>
    /// <returns>ENODEV, EPERM, EFAULT.</returns>
    public static Errno SetName(GuestTask task, Socket socket, GuestAddress address, int length)
    {
        Span<byte> name = stackalloc byte[Math.Min(length, MaxName - 1)];
        Errno errno = task.Memory.CopyIn(address, name);
        if (errno != Errno.None)
        {
            return errno;
        }

        int end = name.IndexOf((byte)0);
        name = end >= 0 ? name[..end] : name;
        if (name.IsEmpty)
        {
            return Bind(task, socket, 0);
        }

        int index = socket.Network.FindInterface(Encoding.ASCII.GetString(name));
        return index == 0 ? Errno.ENODEV : Bind(task, socket, index);
    }

    /// <summary>Sets one of the two that are numbers.</summary>
    /// <returns>EINVAL, EPERM.</returns>
    public static Errno Set(GuestTask task, Socket socket, int option, int value)
    {
        if (option == Mark)
        {
            if (!task.Credentials.HasCapability(Capability.CAP_NET_RAW) && !task.Credentials.HasCapability(Capability.CAP_NET_ADMIN))
            {
                return Errno.EPERM;
            }

            socket.Options.Mark = (uint)value;
            socket.OnOptionsChanged();
            return Errno.None;
        }

        return value < 0 ? Errno.EINVAL : Bind(task, socket, value); // Linux does not look whether there is such an interface
    }

    // Only a socket that is bound to an interface already needs a privilege to be bound to another.
    private static Errno Bind(GuestTask task, Socket socket, int index)
    {
        if (socket.Options.BoundInterface != 0 && !task.Credentials.HasCapability(Capability.CAP_NET_RAW))
        {
            return Errno.EPERM;
        }

        socket.Options.BoundInterface = index;
        socket.OnOptionsChanged();
        return Errno.None;
    }
}
