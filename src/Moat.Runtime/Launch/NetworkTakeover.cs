using Moat.Control;
using Moat.Host;
using Moat.Host.Process;
using Moat.Host.Sockets;
using Moat.Linux;
using Moat.Runtime.State;

namespace Moat.Runtime.Launch;

/// <summary>Gives a sandbox what it needs to take over the interfaces of its container's network namespace (--network=sandbox), or to show them (--network=host): sockets that are opened
/// there, since the Sentry may open none.</summary>
internal static class NetworkTakeover
{
    private const int BufferBytes = 8 << 20; // of the packet socket: a few hundred of the largest frames
    private const uint EngineResolver = 0x7f00_000b; // 127.0.0.11
    private const ushort DomainPort = 53;

    /// <summary>Takes it over, if engines or hooks have put anything but loopback into it.</summary>
    /// <param name="record">The container.</param>
    /// <param name="flag">--network.</param>
    /// <param name="call">Asks the sandbox.</param>
    /// <exception cref="RuntimeException">The host refuses, or another sandbox has done so.</exception>
    public static void Run(ContainerRecord record, string flag, Action<ControlRequest, int[]> call)
    {
        if (flag == "none" || (flag == "sandbox" && NetworkCheck.FindInterface(record.SandboxPid) is null))
        {
            return;
        }

        using DescriptorSet owned = new();
        int[] sockets = OpenIn($"/proc/{record.SandboxPid}/ns/net", flag == "host", owned);
        call(new ControlRequest { Method = ControlMethod.Network }, sockets);
    }

    // A thread can be in another namespace than its process.
    private static int[] OpenIn(string path, bool isShared, DescriptorSet owned)
    {
        int[] sockets = [];
        string? fault = null;
        Thread thread = new(() => fault = Enter(path, owned) ?? (isShared ? OpenShared(owned, out sockets) : OpenAll(owned, out sockets)));
        thread.Start();
        thread.Join();
        return fault is null ? sockets : throw new RuntimeException($"network: {fault}");
    }

    private static string? Enter(string path, DescriptorSet owned)
    {
        if (!HostPath.OpenFile(path, OpenFlags.O_RDONLY).TryGet(out int space, out Errno errno))
        {
            return $"{path}: {ErrorText.Describe(errno)}";
        }

        owned.Add(space);
        if (NetworkCheck.IsOwn(path))
        {
            return null; // nor would an ordinary user be let in
        }

        errno = HostCall.Invoke(SyscallNumber.setns, space, unchecked((nint)(ulong)SpawnFlags.CLONE_NEWNET)).Errno;
        if (errno != Errno.None)
        {
            return $"cannot enter the network namespace: {errno}";
        }

        return null;
    }

    private static string? OpenShared(DescriptorSet owned, out int[] sockets)
    {
        sockets = [];
        if (!NetlinkSocket.OpenRoute().TryGet(out int changes, out Errno errno))
        {
            return $"cannot open a socket: {errno}";
        }

        owned.Add(changes);
        sockets = [changes];
        return null;
    }

    private static string? OpenAll(DescriptorSet owned, out int[] sockets)
    {
        sockets = [];
        if (!StackGuard.Open().TryGet(out int guard, out Errno errno))
        {
            return errno is Errno.EPERM or Errno.EEXIST ? "the network namespace belongs to another sandbox: it cannot be shared" : $"cannot shut the host's stack out (nf_tables): {errno}";
        }

        owned.Add(guard);
        if (!PacketSocket.Open(BufferBytes).TryGet(out int packets, out errno) || !owned.Add(packets) || !NetlinkSocket.OpenRoute().TryGet(out int changes, out errno) || !owned.Add(changes))
        {
            return $"cannot open a socket: {errno}";
        }

        sockets = [packets, changes, guard];
        if (DatagramSocket.Connect(EngineResolver, DomainPort).TryGet(out int resolver, out errno))
        {
            owned.Add(resolver);
            sockets = [.. sockets, resolver];
        }
        else if (errno != Errno.ENETUNREACH)
        {
            return $"cannot open a socket: {errno}";
        }

        return null;
    }
}
