using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>Whether a recovery was needless, since what it took for lost has only come late: the first transmission is acknowledged, as timestamps show (RFC 3522),
/// or the peer says that it had everything twice (RFC 3708). Guarded by the connection's lock.</summary>
internal struct RecoveryUndo
{
    private SequenceNumber _start;
    private int _unconfirmedBytes; // sent again, and not known to have been superfluous
    private uint _firstTimestamp;
    private bool _hasSent;

    /// <summary>Whether a recovery is under way, or was the last that happened, whose harm can be undone.</summary>
    public bool IsPossible { get; private set; }

    /// <summary>A recovery begins.</summary>
    /// <param name="unacknowledged">SND.UNA.</param>
    public void Start(SequenceNumber unacknowledged) => this = new RecoveryUndo { IsPossible = true, _start = unacknowledged };

    /// <summary>It has been undone, or cannot be.</summary>
    public void Stop() => IsPossible = false;

    /// <summary>Bytes were sent again.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="timestamp">The timestamp option they carry.</param>
    public void OnRetransmitted(int bytes, uint timestamp)
    {
        if (!_hasSent)
        {
            (_hasSent, _firstTimestamp) = (true, timestamp);
        }

        _unconfirmedBytes += bytes;
    }

    /// <summary>The peer had these bytes twice.</summary>
    public void OnDuplicate(SackBlock block)
    {
        if (block.Left >= _start)
        {
            _unconfirmedBytes -= block.Right - block.Left;
        }
    }

    /// <summary>Whether everything that was sent again arrived twice.</summary>
    public readonly bool WasAllSuperfluous => IsPossible && _hasSent && _unconfirmedBytes <= 0;

    /// <summary>Whether an acknowledgment that makes progress answers a segment sent before anything was sent again.</summary>
    /// <param name="usesTimestamps">Whether there are timestamps to tell by.</param>
    /// <param name="echo">The timestamp it answers.</param>
    public readonly bool IsForTheOriginal(bool usesTimestamps, uint echo) => IsPossible && (!_hasSent || (usesTimestamps && (int)(echo - _firstTimestamp) < 0));
}
