using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using static Moat.Sockets.Netlink.LinkAttribute;

namespace Moat.Sockets.Netlink;

/// <summary>Finds the network that a request about an interface names: by a process in it, a descriptor of it, or the number that the sender's network has for it.</summary>
internal static class LinkPlace
{
    /// <summary>Whether a request names one.</summary>
    public static bool IsNamed(NetlinkAttributes attributes) => attributes.TryFind(IFLA_NET_NS_PID, out _) || attributes.TryFind(IFLA_NET_NS_FD, out _) || attributes.TryFind(IFLA_TARGET_NETNSID, out _);

    /// <summary>Finds it, with a reference for the caller.</summary>
    /// <param name="request">The request.</param>
    /// <param name="attributes">Its attributes, or those of the other end of a pair.</param>
    /// <param name="usual">The network if none is named.</param>
    /// <returns>ESRCH, EBADF, EINVAL.</returns>
    public static Result<SocketNetwork> Find(in NetlinkRequest request, NetlinkAttributes attributes, SocketNetwork usual)
    {
        Errno errno = attributes.Read(IFLA_NET_NS_PID, out uint? pid);
        if (errno != Errno.None || pid is not null)
        {
            return errno != Errno.None ? errno : OfProcess(request.Task, pid!.Value);
        }

        errno = attributes.Read(IFLA_NET_NS_FD, out uint? fd);
        if (errno != Errno.None || fd is not null)
        {
            return errno != Errno.None ? errno : OfDescriptor(request.Task, fd!.Value);
        }

        errno = attributes.Read(IFLA_TARGET_NETNSID, out uint? number);
        if (errno != Errno.None || number is not null)
        {
            return errno != Errno.None ? errno : usual.FindByNumber(unchecked((int)number!.Value)) ?? (Result<SocketNetwork>)Errno.EINVAL;
        }

        usual.AddUser();
        return usual;
    }

    /// <summary>The network of a process that the caller can see, with a reference.</summary>
    /// <returns>ESRCH.</returns>
    public static Result<SocketNetwork> OfProcess(GuestTask? task, uint pid) =>
        pid <= int.MaxValue && task?.Pids.FindTask((int)pid)?.FindNetwork() is SocketNetwork network && network.TryAddUser() ? network : Errno.ESRCH;

    /// <summary>The network that a descriptor stands for, with a reference.</summary>
    /// <returns>EBADF; EINVAL if it stands for something else.</returns>
    public static Result<SocketNetwork> OfDescriptor(GuestTask? task, uint fd)
    {
        if (task is null)
        {
            return Errno.EBADF;
        }

        if (!task.Files.Get(unchecked((int)fd)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        SocketNetwork? network = (file as INamespaceFile)?.Namespace as SocketNetwork;
        network?.AddUser(); // the file keeps it
        file.Release();
        return network ?? (Result<SocketNetwork>)Errno.EINVAL;
    }
}
