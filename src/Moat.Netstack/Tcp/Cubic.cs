namespace Moat.Netstack.Tcp;

/// <summary>CUBIC (RFC 9438): the window grows with the cube of the time since the last loss, around the size it had then; never slower than Reno would.</summary>
internal sealed class Cubic : CongestionControl
{
    private const double C = 0.4;
    private const double Beta = 0.7;
    private const double RenoIncrease = 3 * (1 - Beta) / (1 + Beta);

    private double _maxSegments; // W_max
    private double _renoSegments; // W_est
    private double _k;
    private long _epochNs;
    private double _credit;
    private (double MaxSegments, double RenoSegments, double K, long EpochNs) _before;

    /// <inheritdoc/>
    public override string Name => "cubic";

    /// <inheritdoc/>
    public override void OnLoss(long nowNs)
    {
        double window = (double)Window / Mss;

        // Fast convergence (section 4.7): a flow that loses below its old size leaves room for others.
        _maxSegments = window < _maxSegments ? window * (1 + Beta) / 2 : window;
        SlowStartThreshold = Math.Max((int)(Window * Beta), 2 * Mss);
        _epochNs = 0;
    }

    /// <inheritdoc/>
    public override void Remember()
    {
        base.Remember();
        _before = (_maxSegments, _renoSegments, _k, _epochNs);
    }

    /// <inheritdoc/>
    public override void Undo()
    {
        base.Undo();
        (_maxSegments, _renoSegments, _k, _epochNs) = _before;
    }

    /// <inheritdoc/>
    public override void OnTimeout(long nowNs)
    {
        base.OnTimeout(nowNs);
        _maxSegments = Math.Max(_maxSegments, (double)SlowStartThreshold / Mss);
    }

    /// <inheritdoc/>
    public override void OnIdle(int periods)
    {
        base.OnIdle(periods);
        _epochNs = 0;
    }

    /// <inheritdoc/>
    protected override void Avoid(int bytes, long rttNs, long nowNs)
    {
        double window = (double)Window / Mss;
        if (_epochNs == 0)
        {
            _epochNs = nowNs;
            _renoSegments = window;
            _maxSegments = Math.Max(_maxSegments, window);
            _k = Math.Cbrt((_maxSegments - window) / C);
            _credit = 0;
        }

        double acknowledged = (double)bytes / Mss;
        double seconds = (nowNs - _epochNs + rttNs) / 1e9;
        double target = (C * Math.Pow(seconds - _k, 3)) + _maxSegments;
        _renoSegments += (window < _maxSegments ? RenoIncrease : 1) * acknowledged / window;
        target = Math.Clamp(Math.Max(target, _renoSegments), window, 1.5 * window);
        _credit += (target - window) / window * acknowledged;
        if (_credit > 0)
        {
            int grown = (int)(_credit * Mss);
            _credit -= (double)grown / Mss;
            Window += grown;
        }
    }
}
