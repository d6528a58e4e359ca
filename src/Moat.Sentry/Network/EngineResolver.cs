using System.Buffers.Binary;
using Moat.Host;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Packets;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Sentry.Network;

/// <summary>Carries questions to the name server that Docker runs for user-defined networks: it listens at 127.0.0.11 in the container's network namespace, behind rewriting rules of the
/// host's stack there. A UDP socket that was opened in that namespace goes through those rules, so that they need not be known here.</summary>
internal sealed class EngineResolver(int fd, NetworkStack stack, DebugLog log) : IDatagramRelay
{
    private const int StackBytes = 128 << 10;
    private const int MaxPending = 512; // a power of two
    private const int IdentifierLength = 2; // what a message begins with (RFC 1035 section 4.1.1)
    private const int MaxMessage = 65507;
    private const long AbsentNs = 1_000_000_000;

    private readonly Lock _lock = new();
    private readonly Question[] _pending = new Question[MaxPending]; // guarded by _lock
    private readonly byte[] _outgoing = new byte[MaxMessage]; // guarded by _lock
    private ushort _next; // guarded by _lock
    private long _absentUntilNs;

    /// <inheritdoc/>
    public IpEndpoint Endpoint { get; } = new(IpAddress.FromV4(0x7f00_000b), 53);

    /// <summary>Takes answers on a thread of its own, which ends with the process.</summary>
    public void Start()
    {
        stack.Udp.Relay = this;
        new Thread(Run, StackBytes) { IsBackground = true, Name = "resolver" }.Start();
    }

    /// <inheritdoc/>
    public bool TryTake(Packet packet, IpEndpoint source)
    {
        if (packet.Length is < IdentifierLength or > MaxMessage || stack.Host.NowNs < Volatile.Read(ref _absentUntilNs))
        {
            return false;
        }

        lock (_lock)
        {
            // Questions of several sockets may have the same identifier: each gets one of its own. The oldest is forgotten.
            int length = packet.CopyTo(0, _outgoing);
            ushort identifier = _next++;
            _pending[identifier % MaxPending] = new Question(source, BinaryPrimitives.ReadUInt16BigEndian(_outgoing), identifier);
            BinaryPrimitives.WriteUInt16BigEndian(_outgoing, identifier);
            SyscallResult written = HostFile.Write(fd, _outgoing.AsSpan(0, length));
            if (written.Errno == Errno.ECONNREFUSED)
            {
                // Of an earlier question: nobody listened then. This one was not sent.
                return false;
            }
        }

        return true;
    }

    private void Run()
    {
        byte[] answer = new byte[MaxMessage];
        while (true)
        {
            SyscallResult count = HostFile.Read(fd, answer);
            if (count.IsError && count.Errno is not (Errno.ECONNREFUSED or Errno.EINTR))
            {
                log.Error($"resolver: {count.Errno}: names of the engine's networks are not found any more");
                return;
            }

            if (count.Errno == Errno.ECONNREFUSED)
            {
                Volatile.Write(ref _absentUntilNs, stack.Host.NowNs + AbsentNs); // questions get the stack's own answer meanwhile
            }
            else if (!count.IsError && count.Raw >= IdentifierLength)
            {
                Take(answer.AsSpan(0, (int)count.Raw));
            }
        }
    }

    private void Take(Span<byte> answer)
    {
        ushort identifier = BinaryPrimitives.ReadUInt16BigEndian(answer);
        Question question;
        lock (_lock)
        {
            question = _pending[identifier % MaxPending];
            if (question.Source.Port == 0 || question.Identifier != identifier)
            {
                return;
            }

            _pending[identifier % MaxPending] = default;
        }

        BinaryPrimitives.WriteUInt16BigEndian(answer, question.AskedIdentifier);
        stack.Udp.Answer(Endpoint, question.Source, answer);
    }

    private readonly record struct Question(IpEndpoint Source, ushort AskedIdentifier, ushort Identifier);
}
