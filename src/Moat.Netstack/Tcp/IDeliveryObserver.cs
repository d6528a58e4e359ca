namespace Moat.Netstack.Tcp;

/// <summary>Told of each part of what was sent that turns out to have arrived.</summary>
internal interface IDeliveryObserver
{
    /// <summary>This has arrived.</summary>
    void OnDelivered(in SentSegment segment);
}
