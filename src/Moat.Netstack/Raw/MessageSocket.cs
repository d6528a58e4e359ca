using Moat.Netstack.Ip;
using Moat.Netstack.Multicast;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Raw;

/// <summary>A socket for whole messages of a protocol of IP, without ports: what raw and ping sockets have in common. Methods never wait. Any thread.</summary>
public abstract class MessageSocket : IDisposable
{
    private readonly Lock _lock = new();
    private IpAddress? _local; // guarded by _lock
    private IpAddress? _remote; // guarded by _lock
    private IpAddress? _source; // guarded by _lock: chosen by connect(2)

    private protected MessageSocket(NetworkStack stack, bool isV6, IpProtocol protocol, ISocketObserver observer)
    {
        (Stack, IsV6, Protocol) = (stack, isV6, protocol);
        Queue = new DatagramQueue(observer, stack.Memory);
        Errors = new SocketErrors(observer, Options, stack.Memory);
        Groups = new GroupMemberships(stack, Options);
    }

    /// <summary>Whether it is for IPv6.</summary>
    public bool IsV6 { get; }

    /// <summary>Its protocol.</summary>
    public IpProtocol Protocol { get; }

    /// <summary>Options of IP.</summary>
    public IpSocketOptions Options { get; } = new();

    /// <summary>Errors about what was sent.</summary>
    public SocketErrors Errors { get; }

    /// <summary>The groups it has joined.</summary>
    public GroupMemberships Groups { get; }

    /// <summary>What has been received.</summary>
    public DatagramQueue Queue { get; }

    /// <summary>Its own end; the port is what a ping socket calls its identifier, and 0 otherwise.</summary>
    public IpEndpoint Local
    {
        get
        {
            lock (_lock)
            {
                return new IpEndpoint(_local ?? _source ?? (IsV6 ? IpAddress.AnyV6 : IpAddress.AnyV4), LocalPort);
            }
        }
    }

    /// <summary>The address it is connected to.</summary>
    public IpAddress? Remote
    {
        get
        {
            lock (_lock)
            {
                return _remote;
            }
        }
    }

    /// <summary>The stack.</summary>
    protected NetworkStack Stack { get; }

    /// <summary>The port that <see cref="Local"/> shows.</summary>
    protected virtual ushort LocalPort => 0;

    /// <summary>bind(2).</summary>
    /// <returns>AddressNotAvailable, AddressInUse.</returns>
    public NetError Bind(IpEndpoint local)
    {
        bool isOwn = local.Address.IsAny || local.Address.IsMulticast || Stack.Routes.Find(local.Address, 0) is { Kind: RouteKind.Local or RouteKind.Broadcast };
        if (!isOwn && !Options.Has(IpFlags.FreeBind))
        {
            return NetError.AddressNotAvailable;
        }

        NetError error = Claim(local.Port);
        if (error == NetError.None)
        {
            lock (_lock)
            {
                _local = local.Address.IsAny ? null : local.Address;
            }
        }

        return error;
    }

    /// <summary>connect(2); null dissolves the connection.</summary>
    /// <returns>Why no route leads there.</returns>
    public NetError Connect(IpAddress? remote)
    {
        RouteDecision route = default;
        NetError error = remote is { } target ? Decide(ref target, default, out route) : NetError.None;
        lock (_lock)
        {
            if (error == NetError.None)
            {
                (_remote, _source) = (remote, remote is null ? null : route.Source);
            }
        }

        return error;
    }

    /// <summary>Sends one message.</summary>
    /// <param name="source">Its bytes, all of them.</param>
    /// <param name="destination">Where to, or null for the connected end.</param>
    /// <param name="control">What its control messages want.</param>
    /// <param name="sent">Its length.</param>
    /// <returns>MessageTooLong, DestinationRequired, Invalid, Fault, PermissionDenied, or why no route leads there.</returns>
    public NetError Send<TSource>(ref TSource source, IpAddress? destination, in DatagramControl control, out long sent)
        where TSource : struct, IByteSource, allows ref struct
    {
        sent = 0;
        long length = source.Length;
        if (length > ushort.MaxValue - Ipv4Header.MinLength)
        {
            return NetError.MessageTooLong;
        }

        NetError error = TakeError();
        if (error != NetError.None)
        {
            return error;
        }

        if ((destination ?? Remote) is not { } target)
        {
            return NetError.DestinationRequired;
        }

        error = Decide(ref target, control, out RouteDecision route);
        if (error != NetError.None)
        {
            return error;
        }

        Packet packet = Stack.Pool.Rent((int)length);
        if (source.CopyTo(packet.Append((int)length)) < length)
        {
            packet.Release();
            return NetError.Fault;
        }

        error = Prepare(packet, route.Source, target);
        if (error != NetError.None)
        {
            packet.Release();
            return error;
        }

        IpParameters parameters = new()
        {
            Source = route.Source,
            Destination = target,
            Protocol = Protocol,
            TimeToLive = control.Hops ?? Options.HopsTo(target, route.Interface.HopLimit),
            TypeOfService = control.Class ?? Options.ClassTo(target),
            DontFragment = Options.DontFragmentTo(target),
        };
        packet.Mark = Options.Mark;
        packet.Owner = Options.Owner;
        error = IncludesHeader ? Stack.Output.SendWhole(packet, route) : Stack.Output.Send(packet, parameters, route);
        Stack.Flush();
        sent = error == NetError.None ? length : 0;
        if (error == NetError.MessageTooLong)
        {
            Errors.ReportTooLong(new IpEndpoint(target, 0), route.Mtu);
        }

        return error;
    }

    /// <summary>Receives one message.</summary>
    /// <returns>WouldBlock, Fault, or an error that was reported about what was sent.</returns>
    public NetError Receive<TSink>(ref TSink sink, bool peek, out ReceivedDatagram received)
        where TSink : struct, IByteSink, allows ref struct
    {
        received = default;
        NetError error = TakeError();
        return error != NetError.None ? error : Queue.Receive(ref sink, peek, out received);
    }

    /// <summary>What it is ready for.</summary>
    public NetEvents Readiness()
    {
        NetEvents events = NetEvents.Writable | (Queue.HasData ? NetEvents.Readable : 0);
        return Errors.IsSet ? events | NetEvents.Error : events;
    }

    /// <summary>SO_ERROR: the error, which is cleared.</summary>
    public NetError TakeError() => Errors.Take();

    /// <summary>An error about something that was sent.</summary>
    /// <param name="error">It.</param>
    /// <param name="payload">What was sent, behind the IP header.</param>
    public void OnError(in IpError error, ReadOnlySpan<byte> payload) => Errors.Report(error, new IpEndpoint(error.Remote, 0), payload, isConnected: Remote == error.Remote);

    /// <inheritdoc/>
    public void Dispose()
    {
        Leave();
        Groups.Clear();
        Errors.Clear();
        Queue.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>Whether a packet between these ends is for the socket.</summary>
    protected bool Accepts(in IpInfo info)
    {
        lock (_lock)
        {
            return (_local is not { } local || local == info.Destination) && (_remote is not { } remote || remote == info.Source)
                && (Options.BoundInterface == 0 || Options.BoundInterface == info.Interface.Index);
        }
    }

    /// <summary>Queues a message.</summary>
    protected void Enqueue(Packet packet, in IpInfo info)
    {
        if (!SocketFiltering.Passes(Options, packet, packet.Start, minimum: 1, info))
        {
            packet.Release();
            return;
        }

        packet.ArrivedNs = Options.StampsArrival ? Stack.Host.NowNs : 0;
        Queue.Add(packet, info, 0);
    }

    /// <summary>Whether messages begin with an IP header.</summary>
    protected virtual bool IncludesHeader => false;

    /// <summary>Takes the port that bind(2) names, if the kind of socket has any.</summary>
    protected virtual NetError Claim(ushort port) => NetError.None;

    /// <summary>Checks and completes a message before it goes out.</summary>
    protected abstract NetError Prepare(Packet packet, IpAddress source, IpAddress destination);

    /// <summary>The socket is closed: nothing is delivered to it any more.</summary>
    protected abstract void Leave();

    private NetError Decide(ref IpAddress target, in DatagramControl control, out RouteDecision route)
    {
        if (target.IsAny)
        {
            target = target.IsV4 ? IpAddress.LoopbackV4 : IpAddress.LoopbackV6;
        }

        IpAddress? source;
        lock (_lock)
        {
            source = _local is { IsMulticast: false } local ? local : null;
        }

        source = control.Source is { IsAny: false } wanted ? wanted : source;
        NetError error = Stack.Decide(target, source, control.InterfaceIndex != 0 ? control.InterfaceIndex : Options.InterfaceTo(target), out route);
        return error == NetError.None && route.Kind == RouteKind.Broadcast && !Options.Broadcast ? NetError.PermissionDenied : error;
    }
}
