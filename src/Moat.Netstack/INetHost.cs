namespace Moat.Netstack;

/// <summary>What the stack needs of whoever embeds it: the time, randomness, and being called when a timer is due.</summary>
public interface INetHost
{
    /// <summary>Monotonic time in nanoseconds.</summary>
    long NowNs { get; }

    /// <summary>Random bytes that a peer cannot guess: sequence numbers, ports, identifiers, the key of SYN cookies.</summary>
    void Fill(Span<byte> random);

    /// <summary>Asks for a call of <see cref="NetworkStack.RunTimers"/> at this time; a later request with an earlier time counts, one with a later time is only told by RunTimers' answer. Any thread, any lock: must not call back.</summary>
    void WakeAt(long deadlineNs);
}
