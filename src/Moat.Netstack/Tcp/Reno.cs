namespace Moat.Netstack.Tcp;

/// <summary>NewReno (RFC 5681): one segment more for each window, half of it after a loss.</summary>
internal sealed class Reno : CongestionControl
{
    private int _counted;

    /// <inheritdoc/>
    public override string Name => "reno";

    /// <inheritdoc/>
    public override void OnLoss(long nowNs) => SlowStartThreshold = Math.Max(Window / 2, 2 * Mss);

    /// <inheritdoc/>
    protected override void Avoid(int bytes, long rttNs, long nowNs)
    {
        _counted += bytes;
        if (_counted >= Window)
        {
            _counted -= Window;
            Window += Mss;
        }
    }
}
