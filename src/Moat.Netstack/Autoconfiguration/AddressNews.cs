using Moat.Netstack.Interfaces;

namespace Moat.Netstack.Autoconfiguration;

/// <summary>What is to be told of an address when no lock is held.</summary>
internal readonly record struct AddressNews(InterfaceAddress Address, bool IsGone);
