namespace Moat.Netstack.Tcp;

/// <summary>Proportional rate reduction (RFC 6937): in a recovery, sends in proportion to what arrives, so that the window has shrunk to its new size when it ends.</summary>
internal struct RateReduction
{
    private long _delivered;
    private long _sent;
    private int _flightAtStart;

    /// <summary>Bytes that may be sent on this acknowledgment.</summary>
    public int Allowed { get; private set; }

    /// <summary>A recovery begins.</summary>
    public void Start(int flightBytes)
    {
        _delivered = 0;
        _sent = 0;
        _flightAtStart = Math.Max(flightBytes, 1);
        Allowed = 0;
    }

    /// <summary>Something was sent.</summary>
    public void OnSent(int bytes)
    {
        _sent += bytes;
        Allowed = Math.Max(Allowed - bytes, 0);
    }

    /// <summary>An acknowledgment came.</summary>
    /// <param name="delivered">What it says has arrived.</param>
    /// <param name="inFlight">What is on its way.</param>
    /// <param name="threshold">The window to end with.</param>
    /// <param name="mss">The segment size.</param>
    /// <param name="isSafe">Whether it made progress and told of no further loss: then the window may grow as in slow start.</param>
    public void OnDelivered(int delivered, int inFlight, int threshold, int mss, bool isSafe)
    {
        _delivered += delivered;
        long allowed;
        if (inFlight > threshold)
        {
            allowed = (((_delivered * threshold) + _flightAtStart - 1) / _flightAtStart) - _sent;
        }
        else
        {
            long limit = Math.Max(_delivered - _sent, delivered) + (isSafe ? mss : 0);
            allowed = Math.Min(threshold - inFlight, limit);
        }

        Allowed = (int)Math.Clamp(allowed, _sent == 0 ? mss : 0, int.MaxValue);
    }
}
