using Moat.Netstack.Routing;

namespace Moat.Netstack.Autoconfiguration;

/// <summary>A route that a router has told of, and until when it counts.</summary>
internal readonly record struct LearnedRoute(Route Route, long UntilNs);
