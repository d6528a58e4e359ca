using System.Globalization;
using System.Text;
using Moat.Linux;

namespace Moat.Sockets.Netlink;

/// <summary>NETLINK_KOBJECT_UEVENT: tells who listens (udev) of interfaces that come and go, in the words of <c>lib/kobject_uevent.c</c>. It answers nothing.</summary>
internal sealed class UeventProtocol(NetlinkPorts ports) : INetlinkProtocol
{
    private const int Kernel = 1; // the group

    private long _sequence;

    /// <inheritdoc/>
    public int Number => 15;

    /// <inheritdoc/>
    public int GroupCount => 1;

    /// <inheritdoc/>
    public Errno Handle(in NetlinkRequest request, NetlinkWriter answer, out bool isDump)
    {
        isDump = false;
        return Errno.EPERM; // messages from programs only go to other programs
    }

    /// <summary>Tells of an interface.</summary>
    /// <param name="action">What has happened: add, remove, move.</param>
    /// <param name="name">Its name.</param>
    /// <param name="index">Its number.</param>
    public void Tell(string action, string name, int index)
    {
        string path = $"/devices/virtual/net/{name}";
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{action}@{path}\0ACTION={action}\0DEVPATH={path}\0SUBSYSTEM=net\0INTERFACE={name}\0IFINDEX={index}\0SEQNUM={Interlocked.Increment(ref _sequence)}\0");
        ports.Multicast(Number, new NetlinkMessage(Encoding.Latin1.GetBytes(text), 0, Kernel), null);
    }
}
